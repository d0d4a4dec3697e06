package cloud

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"helios/shared/fault"
	"helios/shared/job"
)

// objectCreated is the detail-type of the event of S3 in EventBridge about a new object.
const objectCreated = "Object Created"

// ObjectCreated is such an event, as far as it matters.
type ObjectCreated struct {
	DetailType string `json:"detail-type"`
	Detail     struct {
		Bucket struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key       string `json:"key"`
			VersionID string `json:"version-id"`
			ETag      string `json:"etag"`
			Sequencer string `json:"sequencer"`
		} `json:"object"`
	} `json:"detail"`
}

// Triggered says what became of a request's document.
type Triggered struct {
	Key string `json:"key"`
	// Execution is the name of the execution; "" if none was started.
	Execution string `json:"execution,omitempty"`
	// Error is why, and ErrorKey where it was written down.
	Error    string `json:"error,omitempty"`
	ErrorKey string `json:"errorKey,omitempty"`
}

// trigger starts the execution that a document below requests/ asks for.
func trigger(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[ObjectCreated](event)
	if err != nil {
		return nil, err
	}
	t := Triggered{Key: e.Detail.Object.Key}
	if e.Detail.Bucket.Name != c.Bucket.Name || !isRequest(t.Key) {
		return t, nil
	}
	data, err := c.Bucket.Get(ctx, t.Key)
	if isNotFound(err) {
		return t, nil // it was taken back
	}
	if err != nil {
		return nil, err
	}
	input, err := requestInput(data, t.Key)
	if bad := new(job.Error); errors.As(err, &bad) {
		t.Error, t.ErrorKey = bad.Error(), requestErrorKey(t.Key)
		return t, c.Bucket.PutJSON(ctx, t.ErrorKey, RequestError{Request: t.Key, Error: t.Error, Type: UserError, Field: bad.Field})
	}
	if err != nil {
		return nil, err
	}
	t.Execution = e.executionName()
	started, err := startExecution(ctx, t.Execution, input)
	if err != nil {
		return nil, err
	}
	if started {
		// The answer to what was put here before.
		return t, c.Bucket.Delete(ctx, requestErrorKey(t.Key))
	}
	return t, nil
}

// requestInput checks a document and makes it the input of an execution. The output gets the name of the document
// if the document has none.
func requestInput(data []byte, key string) ([]byte, error) {
	r, err := ParseRequest(data)
	if err != nil {
		return nil, err
	}
	r.Document = key
	r.Output = r.output(strings.TrimSuffix(path.Base(key), ".json"))
	if err := checkKey(r.Output); err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// executionName is the same for each delivery of an event: S3 delivers at least once, and Step Functions starts
// no second execution of a name.
func (e *ObjectCreated) executionName() string {
	o := e.Detail.Object
	sum := sha256.Sum256([]byte(strings.Join([]string{o.Key, o.VersionID, o.ETag, o.Sequencer}, "\x00")))
	return "request-" + hex.EncodeToString(sum[:16])
}

// startExecution starts an execution and reports whether there was none of the name that has ended.
func startExecution(ctx context.Context, name string, input []byte) (started bool, err error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return false, err
	}
	machine, text := os.Getenv(StateMachineVariable), string(input)
	_, err = sfn.NewFromConfig(cfg).StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Name: &name, Input: &text})
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, new(*types.ExecutionAlreadyExists)):
		return false, nil
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err).Bool():
		return false, fault.Transientf("starting the execution: %w", err)
	}
	return false, fmt.Errorf("starting the execution: %w", err)
}
