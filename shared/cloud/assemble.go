package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"path"

	"helios/shared/job"
)

// AssembleEvent asks the chunk function, which has ffmpeg, for an output that is made from all frames at once.
type AssembleEvent struct {
	Action string `json:"action"` // "assemble"
	JobID  string `json:"jobId"`
}

// AssembleResult says what became of it. It lies among the chunks, as this function writes nowhere else; the merge
// function puts it in its place.
type AssembleResult struct {
	State State `json:"state"` // "done" or "kept"
}

// assembledName returns the name of the output among the chunks.
func assembledName(c job.Config) string { return "assembled" + path.Ext(c.Output) }

func assemble(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[AssembleEvent](event)
	if err != nil {
		return nil, err
	}
	if err := sweep(); err != nil {
		return nil, err
	}
	state, err := c.assemble(ctx, e.JobID)
	if err != nil {
		return nil, fmt.Errorf("assembling the output: %w", err)
	}
	w := progressWriter{bucket: c.Bucket, keys: Job(e.JobID)}
	return AssembleResult{state}, w.write(ctx, c.usage(UnitAssemble, state, 0), c.Log)
}

func (c *Call) assemble(ctx context.Context, jobID string) (State, error) {
	var header JobHeader
	if err := c.Bucket.GetJSON(ctx, Job(jobID).Header(), &header); err != nil {
		return "", err
	}
	chunks, name := c.Bucket.Objects(Job(jobID).Prefix()), assembledName(header.Config)
	if there, err := exists(ctx, chunks, name); there || err != nil {
		return Kept, err
	}
	// The same chunks make the same bytes, so it does not matter who is first.
	return Done, c.stitch(ctx, jobID, header, chunks, name)
}
