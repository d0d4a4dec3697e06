// Package cloud implements the Lambda functions that render on AWS. Package remote contains their client.
//
// # Functions
//
// A Step Functions state machine (statemachine/render.asl.json) calls three functions. Each event names an action:
//
//   - [Plan]: plan, failure, request-error, and the EventBridge event "Object Created".
//   - [Chunk]: inspect, render, audio, assemble. Only this function opens pages.
//   - [Merge]: merge, completed, failed.
//
// functions/*/examples contains an event and a response for each action.
//
// # Jobs
//
// A [Request] is the input of an execution. The chunk function inspects its page and returns an [Inspection]. From
// both, the plan function computes the job spec, and writes it to the keys that [JobKeys] defines. Later events contain
// only the id of the job, because Step Functions limits the size of payloads.
//
// Every step is idempotent: equal inputs produce equal keys and equal bytes. So the state machine can retry each step,
// and a second execution of the same job keeps the chunks of the first.
//
// # Progress and cost
//
// Each attempt at a unit of work reports its progress and its resource usage in the key of an S3 object ([Usage]).
// [ReadProgress] lists these keys. At the end, the merge function sums them up in a [Report].
//
// # Errors
//
// The errors of the functions have the names that the state machine matches: [UserError], [TransientError],
// [TimeoutError] and [InternalError]. Of these, the state machine retries only transient errors.
package cloud
