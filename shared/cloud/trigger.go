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

// objectCreated is the detail-type of the EventBridge event that S3 sends for a new object.
const objectCreated = "Object Created"

// ObjectCreated is the "Object Created" event, with the fields that the plan function needs.
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

// Triggered is the response to an [ObjectCreated] event.
type Triggered struct {
	Key string `json:"key"`
	// Execution is the name of the execution; "" if none was started.
	Execution string `json:"execution,omitempty"`
	// Error is why the request is invalid, ErrorKey the key of the [RequestError].
	Error    string `json:"error,omitempty"`
	ErrorKey string `json:"errorKey,omitempty"`
}

// trigger starts an execution for a document below requests/.
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
		return t, nil // the document was deleted
	}
	if err != nil {
		return nil, err
	}
	input, err := requestInput(data, t.Key)
	if invalid := new(job.Error); errors.As(err, &invalid) {
		t.Error, t.ErrorKey = invalid.Error(), requestErrorKey(t.Key)
		r := RequestError{Request: t.Key, Error: t.Error, Type: UserError, Field: invalid.Field}
		return t, c.Bucket.PutJSON(ctx, t.ErrorKey, r)
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
		return t, c.Bucket.Delete(ctx, requestErrorKey(t.Key)) // of the previous version of the document
	}
	return t, nil
}

// requestInput validates a document and returns the input of its execution. By default, the output is named after the
// document.
func requestInput(data []byte, key string) ([]byte, error) {
	r, err := ParseRequest(data)
	if err != nil {
		return nil, err
	}
	r.Document = key
	r.Output = r.OutputKey(strings.TrimSuffix(path.Base(key), ".json"))
	if err := checkKey(r.Output); err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// executionName returns the same name for each delivery of an event. S3 delivers events at least once, and Step
// Functions starts only one execution with a name.
func (e *ObjectCreated) executionName() string {
	o := e.Detail.Object
	sum := sha256.Sum256([]byte(strings.Join([]string{o.Key, o.VersionID, o.ETag, o.Sequencer}, "\x00")))
	return "request-" + hex.EncodeToString(sum[:16])
}

// startExecution starts an execution. It returns false if an execution with that name has already ended.
func startExecution(ctx context.Context, name string, input []byte) (started bool, err error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return false, err
	}
	machine, text := os.Getenv(StateMachineVariable), string(input)
	in := &sfn.StartExecutionInput{StateMachineArn: &machine, Name: &name, Input: &text}
	_, err = sfn.NewFromConfig(cfg).StartExecution(ctx, in)
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
