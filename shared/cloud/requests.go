package cloud

import (
	"context"
	"strings"
	"sync/atomic"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
)

// requestCount counts requests to S3, each attempt, as they are billed.
type requestCount struct {
	puts, gets atomic.Int64
}

// count returns a client that counts.
func (c *requestCount) count(client *s3.Client) *s3.Client {
	return s3.New(client.Options(), func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("CountRequests", c.next), "Retry", middleware.After)
		})
	})
}

func (c *requestCount) next(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	switch op := awsmiddleware.GetOperationName(ctx); {
	case strings.HasPrefix(op, "Delete"), op == "AbortMultipartUpload":
		// Free of charge.
	case strings.HasPrefix(op, "Get"), strings.HasPrefix(op, "Head"):
		c.gets.Add(1)
	default:
		c.puts.Add(1)
	}
	return next.HandleFinalize(ctx, in)
}
