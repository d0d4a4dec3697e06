package cloud

import (
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"helios/shared/fault"
	"helios/shared/job"
)

// The names under which Step Functions sees the errors of the functions.
const (
	// UserError means that the request or the page is wrong; it is not retried.
	UserError = "Helios.User"
	// TransientError means that the same call may work the next time.
	TransientError = "Helios.Transient"
	// TimeoutError means that the work does not fit into the time that a function has; it is not retried.
	TimeoutError = "Helios.Timeout"
	// InternalError is every other: a defect; it is not retried.
	InternalError = "Helios.Internal"
)

// timeoutError is the cause of the end of a context whose function has to stop.
type timeoutError struct{ message string }

func (e *timeoutError) Error() string { return e.message }

// classify returns the name of an error.
func classify(err error) string {
	var late *timeoutError
	if errors.As(err, &late) {
		return TimeoutError
	}
	var invalid *job.Error
	if errors.As(err, &invalid) {
		return UserError
	}
	switch fault.Of(err) {
	case fault.User:
		return UserError
	case fault.Transient:
		return TransientError
	}
	return InternalError
}

// answer turns an error into what Step Functions gets to see. It names the log.
func invokeError(err error, log Log) messages.InvokeResponse_Error {
	text := err.Error()
	if log.Stream != "" {
		text += fmt.Sprintf(" (log: %s, stream %s, request %s)", log.Group, log.Stream, log.RequestID)
	}
	return messages.InvokeResponse_Error{Type: classify(err), Message: text}
}
