package cloud

import (
	"context"
	"strings"
	"sync/atomic"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
)

// s3Meter counts S3 requests by price class. It counts retries too, because S3 bills them.
type s3Meter struct {
	puts, gets atomic.Int64
}

// attach returns a copy of client. m counts the requests of the copy.
func (m *s3Meter) attach(client *s3.Client) *s3.Client {
	return s3.New(client.Options(), func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			count := middleware.FinalizeMiddlewareFunc("S3Meter", m.count)
			return stack.Finalize.Insert(count, "Retry", middleware.After)
		})
	})
}

func (m *s3Meter) count(
	ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
) (middleware.FinalizeOutput, middleware.Metadata, error) {
	switch op := awsmiddleware.GetOperationName(ctx); {
	case strings.HasPrefix(op, "Delete"), op == "AbortMultipartUpload":
		// Free of charge.
	case strings.HasPrefix(op, "Get"), strings.HasPrefix(op, "Head"):
		m.gets.Add(1)
	default:
		m.puts.Add(1)
	}
	return next.HandleFinalize(ctx, in)
}
