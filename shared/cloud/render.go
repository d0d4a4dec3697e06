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

// RenderEvent asks the chunk function to render a partition.
type RenderEvent struct {
	Action    string        `json:"action"` // "render"
	JobID     string        `json:"jobId"`
	Partition PartitionItem `json:"partition"`
}

// RenderResult is the response to a [RenderEvent].
type RenderResult struct {
	Partition int   `json:"partition"`
	State     State `json:"state"` // "done" or "kept"
}

func renderPartition(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[RenderEvent](event)
	if err != nil {
		return nil, err
	}
	if err := removeTempFiles(); err != nil {
		return nil, err
	}
	p := &partition{call: c, item: e.Partition, writer: progressWriter{bucket: c.Bucket, keys: Job(e.JobID)}}
	state, err := p.render(ctx, e.JobID)
	if err != nil {
		p.reportFailure(err)
		return nil, fmt.Errorf("%s: %w", e.Partition, p.explainTimeout(ctx, err))
	}
	return RenderResult{e.Partition.ID, state}, nil
}

// partition is a call that renders a partition.
type partition struct {
	call   *Call
	item   PartitionItem
	writer progressWriter
	frames atomic.Int64 // rendered so far
	first  time.Time    // when the first frame was done
}

func (p *partition) render(ctx context.Context, jobID string) (State, error) {
	c := p.call
	if err := p.report(ctx, Running); err != nil {
		return "", err
	}
	header, err := c.header(ctx, jobID)
	if err != nil {
		return "", err
	}
	composition, err := capture.Locate("", header.Config.Input)
	if err != nil {
		return "", err
	}
	config := header.Config
	config.StartFrame, config.FrameCount = p.item.StartFrame, p.item.FrameCount
	state := Done
	// Each call starts a new Chromium, so that a failure cannot affect the next call.
	partition := render.Partition{
		Config: config, Composition: composition,
		ID: job.ChunkID{Job: jobID, Partition: p.item.ID, Partitions: header.Partitions},
		Report: func(e render.Event) {
			if e.Type == render.PartitionKept {
				state = Kept
				p.frames.Store(e.Frames)
			}
			p.handleEvent(ctx, e)
		},
	}
	if err := partition.ToStore(ctx, c.Bucket.Objects(Job(jobID).Prefix()), p.item.OutputFile); err != nil {
		return "", err
	}
	return state, p.report(ctx, state)
}

// handleEvent reports progress.
func (p *partition) handleEvent(ctx context.Context, e render.Event) {
	if e.Type != render.FrameDone {
		return
	}
	p.frames.Store(e.Frames)
	if p.first.IsZero() {
		p.first = time.Now()
	}
	if p.writer.due() {
		_ = p.report(ctx, Running) // progress is optional
	}
}

func (p *partition) report(ctx context.Context, s State) error {
	return p.writer.write(ctx, p.call.usage(PartitionUnit(p.item.ID), s, p.frames.Load()), p.call.Log)
}

// reportFailure stores why the attempt failed. It works after the context of the call has ended.
func (p *partition) reportFailure(err error) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownMargin/2)
	defer cancel()
	log := p.call.Log
	log.Error = err.Error()
	// If this fails too, the function returns err.
	_ = p.writer.write(ctx, p.call.usage(PartitionUnit(p.item.ID), Failed, p.frames.Load()), log)
}

// explainTimeout returns an error with the rendering speed if the function ran out of time, and err otherwise.
func (p *partition) explainTimeout(ctx context.Context, err error) error {
	timeout := new(timeoutError)
	if !errors.As(context.Cause(ctx), &timeout) {
		return err
	}
	elapsed, frames := time.Since(p.call.started), p.frames.Load()
	speed := ""
	if frames > 1 {
		speed = fmt.Sprintf(" (%d ms each)", time.Since(p.first).Milliseconds()/(frames-1))
	}
	return &timeoutError{fmt.Sprintf("the function timed out after %s with %d of %d frames done%s; "+
		"use more partitions: a higher concurrency or a lower targetChunkSeconds",
		elapsed.Round(time.Second/10), frames, p.item.FrameCount, speed)}
}
