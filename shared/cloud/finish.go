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

// FinishEvent asks the merge function to report on a job that has ended.
type FinishEvent struct {
	Action    string          `json:"action"` // "completed" or "failed"
	Request   json.RawMessage `json:"request"`
	Execution Execution       `json:"execution"`
	// Job is missing if the job failed before it was planned, Failure if it did not fail.
	Job     *Planned     `json:"job"`
	Failure *StatesError `json:"failure"`
}

//go:embed event.schema.json
var eventSchema []byte

// EventSchema returns the JSON Schema (draft 2020-12) of a [Finished].
func EventSchema() []byte { return slices.Clone(eventSchema) }

// Finished is what the world is told of the end of a job: the detail of the event helios.render.completed or
// helios.render.failed, and the body of the webhook.
type Finished struct {
	Version   int    `json:"version"` // 1
	Status    string `json:"status"`  // "completed" or "failed"
	Execution string `json:"execution"`
	JobID     string `json:"jobId,omitempty"`
	Output    string `json:"output,omitempty"` // s3://bucket/key
	Frames    int64  `json:"frames,omitempty"`
	// WallSeconds is the time since the execution began.
	WallSeconds float64 `json:"wallSeconds"`
	Dollars     float64 `json:"dollars"`
	// Report is the address of the whole report.
	Report string `json:"report,omitempty"`
	// Error is one of the names such as Helios.User, Message what happened; Log is where to read on.
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
	if begun := e.Execution.startTime(); !begun.IsZero() {
		f.WallSeconds = math.Round(time.Since(begun).Seconds()*1000) / 1000
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
		// The render is what it is; who waits for the webhook has the event, too.
		slog.Error("webhook", "error", err)
	}
	return f, nil
}

// reportJob writes the report and fills in what it says.
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

// callWebhook tells the webhook of a request, if it has one.
func (c *Call) callWebhook(ctx context.Context, e FinishEvent, f *Finished) error {
	var r Request
	// A request that is not valid is what failed.
	if json.Unmarshal(e.Request, &r) != nil || r.Webhook == "" {
		return nil
	}
	secret := os.Getenv(WebhookSecretVariable)
	if secret == "" {
		return errors.New("the stack was deployed without a WebhookSecret, so nothing is sent")
	}
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return newWebhook([]byte(secret)).send(ctx, r.Webhook, body)
}
