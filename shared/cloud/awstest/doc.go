// Package awstest runs the compiled Lambda functions and the state machine on this machine, against independent
// implementations of AWS.
//
//   - [Lambda] starts the functions as processes and serves Lambda's Runtime API to them.
//   - moto runs state machines and provides the other services; [StartMoto] starts it.
//   - [Endpoint] is the single address of all services. It invokes the functions and forwards all other requests. It
//     can inject faults into S3.
package awstest
