// Command plan is the Lambda function that plans jobs: a request becomes a job spec in S3.
package main

import "helios/shared/cloud"

func main() { cloud.Plan.Start() }
