package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"helios/shared/job"
	"helios/shared/plan"
)

// Execution identifies the execution that called the function.
type Execution struct {
	ID    string `json:"id"` // ARN
	Name  string `json:"name"`
	Start string `json:"start"` // RFC 3339
}

// startTime returns the zero time if the start is unknown.
func (e Execution) startTime() time.Time {
	t, _ := time.Parse(time.RFC3339, e.Start)
	return t
}

// PlanEvent asks the plan function to write the documents of a job.
type PlanEvent struct {
	Action     string          `json:"action"` // "plan"
	Request    json.RawMessage `json:"request"`
	Inspection Inspection      `json:"inspection"`
	Execution  Execution       `json:"execution"`
}

// Planned is the response to a [PlanEvent]: everything that the state machine needs to know about the job.
type Planned struct {
	JobID         string `json:"jobId"`
	PartitionsKey string `json:"partitionsKey"` // see [JobKeys.Partitions]
	Partitions    int    `json:"partitions"`
	Frames        int64  `json:"frames"`
	// MaxConcurrency is how many partitions the state machine renders at once.
	MaxConcurrency int  `json:"maxConcurrency"`
	HasAudio       bool `json:"hasAudio"`
	// NeedsAssembly reports whether the chunk function must assemble the output, see [AssembleEvent].
	NeedsAssembly bool   `json:"needsAssembly"`
	Output        string `json:"output"` // key
}

// JobHeader is the job spec without its partitions. The functions read it instead of the spec, which takes a third of
// a second to parse with 10,000 partitions.
type JobHeader struct {
	JobID      string     `json:"jobId"`
	Partitions int        `json:"partitions"`
	Config     job.Config `json:"config"`
	Audio      *job.Audio `json:"audio,omitempty"`
}

// PartitionItem is a partition in the array at [JobKeys.Partitions]. It is an item of the state machine's map.
type PartitionItem struct {
	ID         int    `json:"id"`
	StartFrame int64  `json:"startFrame"`
	FrameCount int64  `json:"frameCount"`
	OutputFile string `json:"outputFile"`
}

// String describes p for error messages, such as "partition 1 (frames 300 to 599)".
func (p PartitionItem) String() string {
	return fmt.Sprintf("partition %d (frames %d to %d)", p.ID, p.StartFrame, p.StartFrame+p.FrameCount-1)
}

func planJob(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[PlanEvent](event)
	if err != nil {
		return nil, err
	}
	r, err := ParseRequest(e.Request)
	if err != nil {
		return nil, err
	}
	spec, err := r.plan(e.Inspection, e.Execution.Name)
	if err != nil {
		return nil, err
	}
	if err := c.writeJob(ctx, spec); err != nil {
		return nil, err
	}
	w := progressWriter{bucket: c.Bucket, keys: Job(spec.JobID)}
	if err := w.write(ctx, e.Inspection.Usage, e.Inspection.Log); err != nil {
		return nil, err
	}
	if err := c.report(ctx, spec.JobID, UnitPlan, Done); err != nil {
		return nil, err
	}
	return Planned{
		JobID:          spec.JobID,
		PartitionsKey:  Job(spec.JobID).Partitions(),
		Partitions:     len(spec.Partitions),
		Frames:         spec.Config.FrameCount,
		MaxConcurrency: r.maxConcurrency(),
		HasAudio:       spec.Audio != nil,
		NeedsAssembly:  !spec.Config.Format.Video(),
		Output:         spec.Config.Output,
	}, nil
}

// plan returns the spec for a request.
func (r *Request) plan(i Inspection, execution string) (*job.Spec, error) {
	o := r.Options
	i.Apply(&o)
	o.Output = r.OutputKey(execution)
	o.Revision = i.revision(r, execution)
	fixed := o.Concurrency != 0
	spec, err := plan.New(o)
	if err != nil {
		return nil, err
	}
	if fixed {
		return spec, plan.CheckLimit(spec.Config, i.Pace(), len(spec.Partitions), FunctionTime)
	}
	if o.Concurrency, err = plan.Partitions(spec.Config, i.Pace(), r.target(), FunctionTime); err != nil {
		return nil, err
	}
	return plan.New(o)
}

// maxConcurrency returns the limit of the stack or that of the request, whichever is lower.
func (r *Request) maxConcurrency() int {
	limit, err := strconv.Atoi(os.Getenv(MaxConcurrencyVariable))
	if err != nil || limit < 1 {
		limit = 100
	}
	if r.MaxConcurrency > 0 {
		limit = min(limit, r.MaxConcurrency)
	}
	return limit
}

// writeJob writes the documents of a job. It is idempotent: equal specs produce equal documents.
func (c *Call) writeJob(ctx context.Context, spec *job.Spec) error {
	keys := Job(spec.JobID)
	items := make([]PartitionItem, len(spec.Partitions))
	for i, p := range spec.Partitions {
		items[i] = PartitionItem{p.ID, p.StartFrame, p.FrameCount, p.OutputFile}
	}
	list, err := json.Marshal(items)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := spec.Encode(&text); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.Bucket.Put(ctx, keys.Spec(), text.Bytes()) })
	g.Go(func() error { return c.Bucket.Put(ctx, keys.Partitions(), list) })
	g.Go(func() error {
		header := JobHeader{spec.JobID, len(spec.Partitions), spec.Config, spec.Audio}
		return c.Bucket.PutJSON(ctx, keys.Header(), header)
	})
	return g.Wait()
}
