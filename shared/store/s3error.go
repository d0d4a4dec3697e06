package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"helios/shared/fault"
)

// ErrChanged says that an object was replaced while it was read.
var ErrChanged = errors.New("changed while it was read")

// errDropped says that an upload was dropped while it was written, as by one that was begun later and done before.
var errDropped = errors.New("the upload is gone")

// explain makes of what an action of S3 ended with what a store ends with.
func (s *S3) explain(ctx context.Context, action, name string, err error) error {
	if err == nil {
		return nil
	}
	where := s.URL(name)
	if ctx.Err() != nil {
		return fmt.Errorf("%s of %s: %w", action, where, context.Cause(ctx))
	}
	status, code := 0, ""
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		code = api.ErrorCode()
		// The rest of the error's text are ids of the request.
		err = fmt.Errorf("%s: %s", code, api.ErrorMessage())
	}
	switch {
	case code == "" && brokenOff(err):
		return fault.Transientf("%s of %s: %w", action, where, err)
	case code == "NoSuchBucket":
		return fault.Userf("%s of %s: there is no bucket %s in this region; give another one, or make it", action, where, s.bucket)
	case code == "NoSuchUpload" && action == "UploadPart":
		return fault.Transientf("writing %s: %w", where, errDropped)
	case code == "NoSuchKey", code == "NotFound", code == "NoSuchUpload":
		return &fs.PathError{Op: action, Path: where, Err: fs.ErrNotExist}
	case status == http.StatusPreconditionFailed && action == "GetObject":
		return fault.Transientf("%s of %s: %w", action, where, ErrChanged)
	case status == http.StatusPreconditionFailed:
		return &fs.PathError{Op: action, Path: where, Err: fs.ErrExist}
	case code == "RequestTimeout", code == "SlowDown", status == http.StatusTooManyRequests, status == http.StatusConflict, status >= 500:
		return fault.Transientf("%s of %s: %w", action, where, err)
	case status == http.StatusForbidden && action == "GetObject":
		return fault.Userf("%s of %s is denied (%w); allow s3:GetObject there, or give other credentials (S3 also denies what is missing, unless s3:ListBucket is allowed)", action, where, err)
	case status == http.StatusForbidden, status == http.StatusUnauthorized, status == http.StatusNotFound: // of the key's owner
		return fault.Userf("%s of %s is denied (%w); allow s3:%s there, or give other credentials", action, where, err, permission(action))
	case status == http.StatusMovedPermanently, code == "AuthorizationHeaderMalformed", code == "PermanentRedirect":
		return fault.Userf("%s of %s: the bucket is in another region (%w); set AWS_REGION to it", action, where, err)
	case status < 300 && passing(err):
		return fault.Transientf("%s of %s: %w", action, where, err)
	}
	return fmt.Errorf("%s of %s: %w", action, where, err)
}

// passing reports whether a request was lost on its way, or is not made again for now after many that were.
func passing(err error) bool {
	var (
		send     *smithyhttp.RequestSendError
		attempts *retry.MaxAttemptsError
		quota    ratelimit.QuotaExceededError
	)
	return errors.As(err, &send) || errors.As(err, &attempts) || errors.As(err, &quota)
}

// brokenOff reports whether an answer, also one that was to describe an error, did not come to its end.
func brokenOff(err error) bool {
	var network net.Error
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network)
}

// permission returns what has to be allowed for an action.
func permission(action string) string {
	switch action {
	case "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "CopyObject":
		return "PutObject"
	case "HeadObject":
		return "GetObject"
	}
	return action
}
