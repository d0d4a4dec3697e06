// Command chunk is the Lambda function that opens pages and renders partitions to chunks.
//
// Package cloud contains the implementation, and examples/ an event and its response for each action.
package main

import "helios/shared/cloud"

func main() { cloud.Chunk().Start() }
