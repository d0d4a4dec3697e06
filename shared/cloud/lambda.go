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
	// FunctionTime is how much of the 15 minutes that a function has its work may take.
	FunctionTime = 14 * time.Minute
	// shutdownMargin is how long before its end a function stops working, to say why.
	shutdownMargin = 10 * time.Second
)

// The environment of the functions, beside that of Lambda; see template.yaml.
const (
	BucketVariable         = "HELIOS_BUCKET"
	StateMachineVariable   = "HELIOS_STATE_MACHINE"
	MaxConcurrencyVariable = "HELIOS_MAX_CONCURRENCY"
	ArchitectureVariable   = "HELIOS_ARCHITECTURE"
	WebhookSecretVariable  = "HELIOS_WEBHOOK_SECRET"
)

// processStart is when the program began.
var processStart = time.Now()

// Call is one call of a function.
type Call struct {
	Bucket *Bucket
	// Log is where the call's log is.
	Log Log

	started    time.Time
	starting   time.Duration // of the program, for its first call
	s3         *s3Meter
	memory     int64
	memoryUsed memoryPeak
}

// Action does one kind of work. The result becomes the answer, as JSON.
type Action func(ctx context.Context, c *Call, event json.RawMessage) (any, error)

// Function is what one of the functions can do, by the event's "action".
type Function map[string]Action

// Start serves the calls of a Lambda function. It does not return.
func (f Function) Start() {
	// The clients are made once: what they cost is paid while the environment starts.
	client, err := store.S3Client(context.Background())
	if err != nil {
		slog.Error("starting", "error", err)
		os.Exit(1)
	}
	starting := time.Since(processStart)
	lambda.Start(func(ctx context.Context, event json.RawMessage) (any, error) {
		c := newCall(ctx, client)
		c.starting, starting = starting, 0 // an environment serves one call at a time
		return f.serve(ctx, c, event)
	})
}

// serve does what an event asks for. Its error is a messages.InvokeResponse_Error, by value: Step Functions goes
// by the name of the outermost type.
func (f Function) serve(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	defer c.memoryUsed.monitor()()
	ctx, cancel := c.limit(ctx)
	defer cancel()
	result, err := f.dispatch(ctx, c, event)
	if err == nil {
		return result, nil
	}
	// What a call of the SDK or of Chromium says of a context that ended does not tell why.
	if late := new(timeoutError); errors.As(context.Cause(ctx), &late) && !errors.As(err, new(*timeoutError)) {
		err = late
	}
	a := invokeError(err, c.Log)
	slog.Error("failed", "type", a.Type, "error", err.Error())
	return nil, a
}

func (f Function) dispatch(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	var head struct {
		Action     string `json:"action"`
		DetailType string `json:"detail-type"`
	}
	if err := json.Unmarshal(event, &head); err != nil {
		return nil, fault.Userf("the event is no JSON object: %w", err)
	}
	if head.DetailType != "" {
		head.Action = head.DetailType // an event of EventBridge
	}
	action, ok := f[head.Action]
	if !ok {
		return nil, fault.Userf("this function has no action %q", head.Action)
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

// limit ends the work before Lambda would kill it without a word.
func (c *Call) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	left := time.Until(deadline)
	left -= min(shutdownMargin, left/5)
	return context.WithTimeoutCause(ctx, left, &timeoutError{fmt.Sprintf("the work did not end within the %s that the function had", left.Round(time.Millisecond))})
}

// usage is what the call has done so far of a unit of work, with the request that tells it.
func (c *Call) usage(unit string, state State, frames int64) Usage {
	return Usage{
		Unit: unit, Attempt: attemptName(c.Log.RequestID), State: state, Frames: frames,
		Milliseconds: int64(math.Ceil(float64(c.starting+time.Since(c.started)) / float64(time.Millisecond))), MemoryMB: c.memory, UsedMB: c.memoryUsed.megabytes(),
		Puts: c.s3.puts.Load() + 1, Gets: c.s3.gets.Load(),
	}
}

// attemptName is unlike that of other attempts. Step Functions repeats a call under a new request id.
func attemptName(requestID string) string {
	id := strings.ReplaceAll(strings.ReplaceAll(requestID, "-", ""), ".", "")
	return cmp.Or(id[:min(12, len(id))], "0")
}

// done tells that a unit of work is done, and what it took.
func (c *Call) reportDone(ctx context.Context, jobID, unit string) error {
	w := progressWriter{bucket: c.Bucket, keys: Job(jobID)}
	return w.write(ctx, c.usage(unit, Done, 0), c.Log)
}

// decode reads an event that the state machine sent.
func decode[E any](event json.RawMessage) (e E, err error) {
	if err := json.Unmarshal(event, &e); err != nil {
		return e, job.Errorf("", "the event is not as it should be: %v", err)
	}
	return e, nil
}
