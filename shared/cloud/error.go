package cloud

import (
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"helios/shared/fault"
)

// Names of the functions' errors in Step Functions. The state machine retries only [TransientError].
const (
	// UserError: the request or the page is wrong.
	UserError = "Helios.User"
	// TransientError: a retry may succeed.
	TransientError = "Helios.Transient"
	// TimeoutError: the work needs more time than a function has.
	TimeoutError = "Helios.Timeout"
	// InternalError: any other error; a defect.
	InternalError = "Helios.Internal"
)

// timeoutError is the cause of a context that ended because the function is about to time out.
type timeoutError struct{ message string }

func (e *timeoutError) Error() string { return e.message }

// classify returns the name of err in Step Functions.
func classify(err error) string {
	var timeout *timeoutError
	if errors.As(err, &timeout) {
		return TimeoutError
	}
	switch fault.Of(err) {
	case fault.User:
		return UserError
	case fault.Transient:
		return TransientError
	}
	return InternalError
}

// invokeError converts err to the error response of the function. The message names the log of the call.
func invokeError(err error, log Log) messages.InvokeResponse_Error {
	text := err.Error()
	if log.Stream != "" {
		text += fmt.Sprintf(" (log: %s, stream %s, request %s)", log.Group, log.Stream, log.RequestID)
	}
	return messages.InvokeResponse_Error{Type: classify(err), Message: text}
}
