package cloud

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"slices"
	"time"
)

// FinishEvent asks the merge function to write the report of a render and to call the webhook.
type FinishEvent struct {
	Action    string          `json:"action"` // "completed" or "failed"
	Request   json.RawMessage `json:"request"`
	Execution Execution       `json:"execution"`
	// Job is nil if the render failed before it was planned.
	Job *Planned `json:"job"`
	// Failure is nil if the render completed.
	Failure *StatesError `json:"failure"`
}

//go:embed event.schema.json
var eventSchema []byte

// EventSchema returns the JSON Schema (draft 2020-12) of a [Finished].
func EventSchema() []byte { return slices.Clone(eventSchema) }

// Finished is the result of a render: the detail of the events helios.render.completed and helios.render.failed, and
// the body of the webhook request.
type Finished struct {
	Version   int    `json:"version"`   // 1
	Status    string `json:"status"`    // "completed" or "failed"
	Execution string `json:"execution"` // ARN
	JobID     string `json:"jobId,omitempty"`
	Output    string `json:"output,omitempty"` // s3://bucket/key
	Frames    int64  `json:"frames,omitempty"`
	// WallSeconds is the time since the start of the execution.
	WallSeconds float64 `json:"wallSeconds"`
	Dollars     float64 `json:"dollars"`
	// Report is the s3:// address of the [Report].
	Report string `json:"report,omitempty"`
	// Error is the name of the error, such as Helios.User.
	Error   string `json:"error,omitempty"`
	Message string `json:"message,omitempty"`
	Log     *Log   `json:"log,omitempty"`
}

func completed(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	return c.finish(ctx, event, "completed")
}

func failed(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	return c.finish(ctx, event, "failed")
}

func (c *Call) finish(ctx context.Context, event json.RawMessage, status string) (*Finished, error) {
	e, err := decode[FinishEvent](event)
	if err != nil {
		return nil, err
	}
	f := &Finished{Version: 1, Status: status, Execution: e.Execution.ID}
	if start := e.Execution.startTime(); !start.IsZero() {
		f.WallSeconds = math.Round(time.Since(start).Seconds()*1000) / 1000
	}
	if e.Failure != nil {
		f.Error, f.Message = e.Failure.Error, e.Failure.message()
	}
	if e.Job != nil {
		if err := c.reportJob(ctx, e, f); err != nil {
			return nil, err
		}
	}
	if err := c.callWebhook(ctx, e, f); err != nil {
		// The render has succeeded or failed regardless. Receivers can use the event instead.
		slog.Error("webhook", "error", err)
	}
	return f, nil
}

// reportJob writes the [Report] and adds its results to f.
func (c *Call) reportJob(ctx context.Context, e FinishEvent, f *Finished) error {
	f.JobID, f.Frames = e.Job.JobID, e.Job.Frames
	if f.Status == "failed" {
		failures, err := c.failures(ctx, f.JobID, e.Execution.startTime())
		if err != nil {
			return err
		}
		if len(failures) > 0 {
			first := failures[0]
			f.Error, f.Message, f.Log = first.Error, first.Message, &first.Log
			if n := len(failures) - 1; n > 0 {
				f.Message += fmt.Sprintf(" (and %d more)", n)
			}
		}
	} else {
		f.Output = "s3://" + c.Bucket.Name + "/" + e.Job.Output
	}
	list, err := c.Bucket.List(ctx, Job(f.JobID).Progress())
	if err != nil {
		return err
	}
	r := reportOf(list, *e.Job, c.usage(UnitFinish, Done, 0), PricesOf(os.Getenv(ArchitectureVariable)))
	r.Status, r.Execution, r.WallSeconds = f.Status, f.Execution, f.WallSeconds
	f.Dollars, f.Report = r.Cost.Total, "s3://"+c.Bucket.Name+"/"+Job(f.JobID).Report()
	return c.Bucket.PutJSON(ctx, Job(f.JobID).Report(), r)
}

// callWebhook sends f to the webhook of the request, if it names one.
func (c *Call) callWebhook(ctx context.Context, e FinishEvent, f *Finished) error {
	var r Request
	if json.Unmarshal(e.Request, &r) != nil || r.Webhook == "" {
		return nil //nolint:nilerr // an invalid request may be the reason of the failure
	}
	secret := os.Getenv(WebhookSecretVariable)
	if secret == "" {
		return errors.New("the webhook was not called: the stack has no WebhookSecret; set it and deploy again")
	}
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return newWebhook([]byte(secret)).send(ctx, r.Webhook, body)
}
