// Command chunk is the Lambda function that opens pages: a partition becomes a chunk in S3.
//
// examples/ has an event and its answer for each thing it does; package cloud documents their fields.
package main

import "helios/shared/cloud"

func main() { cloud.Chunk().Start() }
