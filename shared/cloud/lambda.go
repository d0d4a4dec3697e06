package cloud

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/store"
)

const (
	// FunctionTime is the longest time that one unit of work may take. A Lambda function runs for 15 minutes at most.
	FunctionTime = 14 * time.Minute
	// shutdownMargin is the time that a function reserves to report a timeout.
	shutdownMargin = 10 * time.Second
)

// Environment variables of the functions. template.yaml sets them.
const (
	BucketVariable         = "HELIOS_BUCKET"
	StateMachineVariable   = "HELIOS_STATE_MACHINE"
	MaxConcurrencyVariable = "HELIOS_MAX_CONCURRENCY"
	ArchitectureVariable   = "HELIOS_ARCHITECTURE"
	WebhookSecretVariable  = "HELIOS_WEBHOOK_SECRET"
)

var processStart = time.Now()

// Call is one invocation of a function.
type Call struct {
	Bucket *Bucket
	Log    Log

	started    time.Time
	initTime   time.Duration // of the process, if this is its first call; 0 otherwise
	s3         *s3Meter
	memory     int64 // MB of the function
	memoryUsed memoryPeak
}

// Action handles one kind of event. Its result, encoded as JSON, is the response.
type Action func(ctx context.Context, c *Call, event json.RawMessage) (any, error)

// Function maps the "action" of an event, or the detail-type of an EventBridge event, to its Action.
type Function map[string]Action

// Start runs the Lambda function. It does not return.
func (f Function) Start() {
	// All calls of an environment share one client and its connections.
	client, err := store.S3Client(context.Background())
	if err != nil {
		slog.Error("starting", "error", err)
		os.Exit(1)
	}
	initTime := time.Since(processStart)
	lambda.Start(func(ctx context.Context, event json.RawMessage) (any, error) {
		c := newCall(ctx, client)
		c.initTime, initTime = initTime, 0 // no lock: an environment serves one call at a time
		return f.serve(ctx, c, event)
	})
}

// serve handles an event. Its error is a messages.InvokeResponse_Error, not a pointer to one and not wrapped.
// Otherwise, the Lambda library would report the name of the Go type instead of the Type field.
func (f Function) serve(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	defer c.memoryUsed.monitor()()
	ctx, cancel := c.limit(ctx)
	defer cancel()
	result, err := f.dispatch(ctx, c, event)
	if err == nil {
		return result, nil
	}
	// Errors of the SDK and of Chromium do not contain the cause of a context that ended.
	if timeout := new(timeoutError); errors.As(context.Cause(ctx), &timeout) && !errors.As(err, new(*timeoutError)) {
		err = timeout
	}
	response := invokeError(err, c.Log)
	slog.Error("failed", "type", response.Type, "error", err.Error())
	return nil, response
}

func (f Function) dispatch(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	var head struct {
		Action     string `json:"action"`
		DetailType string `json:"detail-type"` // of an EventBridge event
	}
	if err := json.Unmarshal(event, &head); err != nil {
		return nil, fault.Userf("the event is not a JSON object: %w", err)
	}
	name := cmp.Or(head.DetailType, head.Action)
	action, ok := f[name]
	if !ok {
		return nil, fault.Userf("this function has no action %q", name)
	}
	return action(ctx, c, event)
}

func newCall(ctx context.Context, client *s3.Client) *Call {
	c := &Call{started: time.Now(), s3: new(s3Meter)}
	c.Bucket = &Bucket{Client: c.s3.attach(client), Name: os.Getenv(BucketVariable)}
	c.memory, _ = strconv.ParseInt(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 10, 64)
	c.Log = Log{Group: os.Getenv("AWS_LAMBDA_LOG_GROUP_NAME"), Stream: os.Getenv("AWS_LAMBDA_LOG_STREAM_NAME")}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		c.Log.RequestID = lc.AwsRequestID
	}
	return c
}

// limit returns a context that ends before Lambda kills the function, so that the function can report a timeout.
func (c *Call) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	left := time.Until(deadline)
	left -= min(shutdownMargin, left/5)
	message := fmt.Sprintf("the function timed out after %s", left.Round(time.Millisecond))
	return context.WithTimeoutCause(ctx, left, &timeoutError{message})
}

// usage returns the usage of the call so far. It includes the S3 request that will store it.
func (c *Call) usage(unit string, state State, frames int64) Usage {
	elapsed := c.initTime + time.Since(c.started)
	return Usage{
		Unit: unit, Attempt: attemptID(c.Log.RequestID), State: state, Frames: frames,
		Milliseconds: int64(math.Ceil(float64(elapsed) / float64(time.Millisecond))),
		MemoryMB:     c.memory, UsedMB: c.memoryUsed.megabytes(),
		Puts: c.s3.puts.Load() + 1, Gets: c.s3.gets.Load(),
	}
}

// attemptID returns an id for an attempt. It comes from the request id, which differs between retries.
func attemptID(requestID string) string {
	id := strings.ReplaceAll(strings.ReplaceAll(requestID, "-", ""), ".", "")
	return cmp.Or(id[:min(12, len(id))], "0")
}

// report stores the final usage of a unit of work.
func (c *Call) report(ctx context.Context, jobID, unit string, state State) error {
	w := progressWriter{bucket: c.Bucket, keys: Job(jobID)}
	return w.write(ctx, c.usage(unit, state, 0), c.Log)
}

// header reads the header of a job.
func (c *Call) header(ctx context.Context, jobID string) (header JobHeader, err error) {
	err = c.Bucket.GetJSON(ctx, Job(jobID).Header(), &header)
	return header, err
}

// decode decodes an event of the state machine.
func decode[E any](event json.RawMessage) (e E, err error) {
	if err := json.Unmarshal(event, &e); err != nil {
		return e, job.Errorf("", "the event is invalid: %v", err)
	}
	return e, nil
}
