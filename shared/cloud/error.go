package cloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"

	"github.com/aws/aws-lambda-go/lambda/messages"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"helios/shared/fault"
	"helios/shared/job"
)

// The names under which Step Functions sees the errors of the functions.
const (
	// UserError means that the request or the page is wrong; it is not retried.
	UserError = "Helios.User"
	// TransientError means that the same call may work the next time.
	TransientError = "Helios.Transient"
	// OutOfTimeError means that the work does not fit into the time that a function has; it is not retried.
	OutOfTimeError = "Helios.OutOfTime"
	// InternalError is every other: a defect; it is not retried.
	InternalError = "Helios.Internal"
)

// outOfTime is the cause of the end of a context whose function has to stop.
type outOfTime struct{ message string }

func (e *outOfTime) Error() string { return e.message }

// classify returns the name of an error.
func classify(err error) string {
	var late *outOfTime
	if errors.As(err, &late) {
		return OutOfTimeError
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
	if fromAWS(err) {
		return TransientError
	}
	return InternalError
}

// fromAWS reports whether an error is of those of AWS, or of the way there, that heal by themselves. The SDK has
// tried several times by then.
func fromAWS(err error) bool {
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	var response *awshttp.ResponseError
	if errors.As(err, &response) && (response.HTTPStatusCode() >= 500 || response.HTTPStatusCode() == 429) {
		return true
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "InternalError", "ServiceUnavailable", "ConditionalRequestConflict":
			return true
		}
		return false
	}
	var network net.Error
	var operation *smithy.OperationError
	return errors.As(err, &network) || errors.As(err, &operation) && !errors.Is(err, context.Canceled)
}

// answer turns an error into what Step Functions gets to see. It names the log.
func answer(err error, log Log) messages.InvokeResponse_Error {
	text := err.Error()
	if log.Stream != "" {
		text += fmt.Sprintf(" (log: %s, stream %s, request %s)", log.Group, log.Stream, log.RequestID)
	}
	return messages.InvokeResponse_Error{Type: classify(err), Message: text}
}
