// Command plan is the Lambda function that plans jobs: a request becomes a job spec in S3.
//
// examples/ has an event and its answer for each thing it does; package cloud documents their fields.
package main

import "helios/shared/cloud"

func main() { cloud.Plan().Start() }
