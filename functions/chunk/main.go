// Command chunk is the Lambda function that opens pages: a partition becomes a chunk in S3.
package main

import "helios/shared/cloud"

func main() { cloud.Chunk.Start() }
