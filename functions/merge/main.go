// Command merge is the Lambda function that stitches chunks to the output, and reports.
//
// examples/ has an event and its answer for each thing it does; package cloud documents their fields.
package main

import "helios/shared/cloud"

func main() { cloud.Merge().Start() }
