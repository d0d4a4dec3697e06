// Command merge is the Lambda function that stitches chunks to the output, and reports.
package main

import "helios/shared/cloud"

func main() { cloud.Merge.Start() }
