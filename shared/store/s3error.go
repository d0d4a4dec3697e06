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

// ErrChanged means that an object was replaced while a [Reader] was reading it.
var ErrChanged = errors.New("the object changed while it was being read")

// errUploadGone means that a multipart upload was aborted, usually by another writer of the same object.
var errUploadGone = errors.New("the upload was aborted by another writer")

// explain maps SDK errors to the Store's errors. action is the S3 action that failed, and name the object. It returns
// nil if err is nil.
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
		// The rest of the text is request IDs.
		err = fmt.Errorf("%s: %s", code, api.ErrorMessage())
	}
	switch {
	case code == "" && isTruncated(err):
		return fault.Transientf("%s of %s: %w", action, where, err)
	case code == "NoSuchBucket":
		return fault.Userf("%s of %s: bucket %s does not exist in this region; "+
			"check its name and AWS_REGION, or create it", action, where, s.bucket)
	case code == "NoSuchUpload" && action == "UploadPart":
		return fault.Transientf("writing %s: %w", where, errUploadGone)
	case code == "NoSuchKey", code == "NotFound", code == "NoSuchUpload":
		return &fs.PathError{Op: action, Path: where, Err: fs.ErrNotExist}
	case status == http.StatusPreconditionFailed && action == "GetObject":
		return fault.Transientf("%s of %s: %w", action, where, ErrChanged)
	case status == http.StatusPreconditionFailed:
		return &fs.PathError{Op: action, Path: where, Err: fs.ErrExist}
	case code == "RequestTimeout", code == "SlowDown", status == http.StatusTooManyRequests,
		status == http.StatusConflict, status >= 500:
		return fault.Transientf("%s of %s: %w", action, where, err)
	case status == http.StatusForbidden && action == "GetObject":
		return fault.Userf("%s of %s: access is denied (%w); check that the object exists "+
			"(without s3:ListBucket, S3 denies access to missing objects), allow s3:GetObject, or use other credentials",
			action, where, err)
	case status == http.StatusForbidden, status == http.StatusUnauthorized,
		status == http.StatusNotFound: // some servers return it for an unknown access key
		return fault.Userf("%s of %s: access is denied (%w); allow s3:%s, or use other credentials",
			action, where, err, permission(action))
	case status == http.StatusMovedPermanently, code == "AuthorizationHeaderMalformed", code == "PermanentRedirect":
		return fault.Userf("%s of %s: the bucket is in another region (%w); set AWS_REGION to the region of the bucket",
			action, where, err)
	case status < 300 && hasNoResponse(err):
		return fault.Transientf("%s of %s: %w", action, where, err)
	}
	return fmt.Errorf("%s of %s: %w", action, where, err)
}

// hasNoResponse reports whether a request got no response, or was not retried because of too many failures.
func hasNoResponse(err error) bool {
	var (
		send     *smithyhttp.RequestSendError
		attempts *retry.MaxAttemptsError
		quota    ratelimit.QuotaExceededError
	)
	return errors.As(err, &send) || errors.As(err, &attempts) || errors.As(err, &quota)
}

// isTruncated reports whether the connection broke before the response was complete.
func isTruncated(err error) bool {
	var network net.Error
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network)
}

// permission returns the IAM permission, without the prefix s3:, that an action requires.
func permission(action string) string {
	switch action {
	case "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "CopyObject":
		return "PutObject"
	case "HeadObject":
		return "GetObject"
	}
	return action
}
