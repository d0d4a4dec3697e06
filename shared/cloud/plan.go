package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"helios/shared/job"
	"helios/shared/plan"
)

// Execution is what a function is told of the execution that called it.
type Execution struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Start string `json:"start"` // RFC 3339
}

// begun is when the execution began; the zero time if that is not known.
func (e Execution) startTime() time.Time {
	t, _ := time.Parse(time.RFC3339, e.Start)
	return t
}

// PlanEvent asks the plan function to plan a job.
type PlanEvent struct {
	Action     string          `json:"action"` // "plan"
	Request    json.RawMessage `json:"request"`
	Inspection Inspection      `json:"inspection"`
	Execution  Execution       `json:"execution"`
}

// Planned is what the state machine knows of a job. All else travels by key.
type Planned struct {
	JobID string `json:"jobId"`
	// PartitionsKey is that of the array that the map reads; Partitions is its length.
	PartitionsKey string `json:"partitionsKey"`
	Partitions    int    `json:"partitions"`
	Frames        int64  `json:"frames"`
	// MaxConcurrency is how many partitions are rendered at once.
	MaxConcurrency int  `json:"maxConcurrency"`
	HasAudio       bool `json:"hasAudio"`
	// NeedsAssembly says that the output is made from all frames at once, by the chunk function.
	NeedsAssembly bool   `json:"needsAssembly"`
	Output        string `json:"output"`
}

// Work is what all partitions of a job have in common.
type JobHeader struct {
	JobID      string     `json:"jobId"`
	Partitions int        `json:"partitions"`
	Config     job.Config `json:"config"`
	Audio      *job.Audio `json:"audio,omitempty"`
}

// PartitionItem is a partition as the map hands it out.
type PartitionItem struct {
	ID         int    `json:"id"`
	StartFrame int64  `json:"startFrame"`
	FrameCount int64  `json:"frameCount"`
	OutputFile string `json:"outputFile"`
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
	if err := c.reportDone(ctx, spec.JobID, UnitPlan); err != nil {
		return nil, err
	}
	return Planned{
		JobID:         spec.JobID,
		PartitionsKey: Job(spec.JobID).Partitions(), Partitions: len(spec.Partitions), Frames: spec.Config.FrameCount,
		MaxConcurrency: r.maxConcurrency(), HasAudio: spec.Audio != nil, NeedsAssembly: !spec.Config.Format.Video(), Output: spec.Config.Output,
	}, nil
}

// plan makes the spec of a request.
func (r *Request) plan(i Inspection, execution string) (*job.Spec, error) {
	o := r.Options
	i.Apply(&o)
	o.Output = r.output(execution)
	o.Revision = i.revision(r, execution)
	given := o.Concurrency != 0
	spec, err := plan.New(o)
	if err != nil {
		return nil, err
	}
	if given {
		return spec, plan.CheckLimit(spec.Config, i.Pace(), len(spec.Partitions), FunctionTime)
	}
	if o.Concurrency, err = plan.Spread(spec.Config, i.Pace(), r.target(), FunctionTime); err != nil {
		return nil, err
	}
	return plan.New(o)
}

// maxConcurrency is how many partitions are rendered at once.
func (r *Request) maxConcurrency() int {
	most, err := strconv.Atoi(os.Getenv(MaxConcurrencyVariable))
	if err != nil || most < 1 {
		most = 100
	}
	if r.MaxConcurrency > 0 {
		most = min(most, r.MaxConcurrency)
	}
	return most
}

// writeJob writes the documents of a job. The same job has the same documents, so that it can be done twice.
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
		return c.Bucket.PutJSON(ctx, keys.Header(), JobHeader{spec.JobID, len(spec.Partitions), spec.Config, spec.Audio})
	})
	return g.Wait()
}
