// Command merge is the Lambda function that joins chunks to the output and reports the result.
//
// Package cloud contains the implementation, and examples/ an event and its response for each action.
package main

import "helios/shared/cloud"

func main() { cloud.Merge().Start() }
