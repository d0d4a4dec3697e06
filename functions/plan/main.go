// Command plan is the Lambda function that plans jobs and starts renders for documents below requests/.
//
// Package cloud contains the implementation, and examples/ an event and its response for each action.
package main

import "helios/shared/cloud"

func main() { cloud.Plan().Start() }
