package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"helios/shared/capture"
	"helios/shared/job"
	"helios/shared/render"
)

// RenderEvent asks the chunk function for the chunk of a partition.
type RenderEvent struct {
	Action    string        `json:"action"` // "render"
	JobID     string        `json:"jobId"`
	Partition PartitionItem `json:"partition"`
}

// RenderResult is what became of a partition. It is small: a map collects 10,000 of them.
type RenderResult struct {
	Partition int   `json:"partition"`
	State     State `json:"state"` // "done" or "kept"
}

func renderPartition(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[RenderEvent](event)
	if err != nil {
		return nil, err
	}
	if err := sweep(); err != nil {
		return nil, err
	}
	p := &partition{call: c, item: e.Partition, writer: progressWriter{bucket: c.Bucket, keys: Job(e.JobID)}}
	state, err := p.render(ctx, e.JobID)
	if err != nil {
		p.reportFailure(err)
		return nil, fmt.Errorf("partition %d (frames %d to %d): %w",
			e.Partition.ID, e.Partition.StartFrame, e.Partition.StartFrame+e.Partition.FrameCount-1, p.explainTimeout(ctx, err))
	}
	return RenderResult{e.Partition.ID, state}, nil
}

// partition is a partition that is being rendered.
type partition struct {
	call   *Call
	item   PartitionItem
	writer progressWriter
	frames atomic.Int64 // done so far
	drawn  time.Time    // when the first was
}

func (p *partition) render(ctx context.Context, jobID string) (State, error) {
	c := p.call
	if err := p.report(ctx, Running); err != nil {
		return "", err
	}
	var header JobHeader
	if err := c.Bucket.GetJSON(ctx, Job(jobID).Header(), &header); err != nil {
		return "", err
	}
	composition, err := capture.Locate("", header.Config.Input)
	if err != nil {
		return "", err
	}
	config := header.Config
	config.StartFrame, config.FrameCount = p.item.StartFrame, p.item.FrameCount
	id := job.ChunkID{Job: jobID, Partition: p.item.ID, Partitions: header.Partitions}
	chunks := c.Bucket.Objects(Job(jobID).Prefix())
	state := Done
	// A new Chromium each time: whatever a failure left behind is not met again.
	err = render.Partition(ctx, config, composition, id, chunks, p.item.OutputFile, 0, func(e render.Event) {
		if e.Type == render.PartitionKept {
			state = Kept
			p.frames.Store(e.Frames)
		}
		p.handleEvent(ctx, e)
	})
	if err != nil {
		return "", err
	}
	return state, p.report(ctx, state)
}

// attemptUsage is told what the renderer does.
func (p *partition) handleEvent(ctx context.Context, e render.Event) {
	if e.Type != render.FrameDone {
		return
	}
	p.frames.Store(e.Frames)
	if p.drawn.IsZero() {
		p.drawn = time.Now()
	}
	if p.writer.due() {
		_ = p.report(ctx, Running) // which loses nothing that matters
	}
}

func (p *partition) report(ctx context.Context, s State) error {
	return p.writer.write(ctx, p.call.usage(PartitionUnit(p.item.ID), s, p.frames.Load()), p.call.Log)
}

// failed tells that the attempt failed, and why.
func (p *partition) reportFailure(err error) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownMargin/2)
	defer cancel()
	log := p.call.Log
	log.Error = err.Error()
	// What went wrong is the better error.
	_ = p.writer.write(ctx, p.call.usage(PartitionUnit(p.item.ID), Failed, p.frames.Load()), log)
}

// explain says how far the partition came when its time was up.
func (p *partition) explainTimeout(ctx context.Context, err error) error {
	late := new(timeoutError)
	if !errors.As(context.Cause(ctx), &late) {
		return err
	}
	took, frames := time.Since(p.call.started), p.frames.Load()
	pace := ""
	if frames > 1 {
		pace = fmt.Sprintf(", %d ms each", time.Since(p.drawn).Milliseconds()/(frames-1))
	}
	return &timeoutError{fmt.Sprintf("%d of %d frames were done in the %s that the function had%s; render in more partitions: a higher concurrency, or a lower targetChunkSeconds",
		frames, p.item.FrameCount, took.Round(time.Second/10), pace)}
}
