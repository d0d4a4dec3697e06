package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"path"

	"helios/shared/job"
)

// GatherEvent asks the chunk function, which has ffmpeg, for an output that is made from all frames at once.
type GatherEvent struct {
	Action string `json:"action"` // "gather"
	JobID  string `json:"jobId"`
}

// GatherResult says what became of it. It lies among the chunks, as this function writes nowhere else; the merge
// function puts it in its place.
type GatherResult struct {
	State State `json:"state"` // "done" or "kept"
}

// gathered returns the name of the output among the chunks.
func gathered(c job.Config) string { return "gathered" + path.Ext(c.Output) }

func gather(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[GatherEvent](event)
	if err != nil {
		return nil, err
	}
	if err := sweep(); err != nil {
		return nil, err
	}
	state, err := c.gather(ctx, e.JobID)
	if err != nil {
		return nil, fmt.Errorf("gathering the frames: %w", err)
	}
	w := progressWriter{bucket: c.Bucket, keys: Job(e.JobID)}
	return GatherResult{state}, w.tell(ctx, c.usage(UnitGather, state, 0), c.Log)
}

func (c *Call) gather(ctx context.Context, jobID string) (State, error) {
	var work Work
	if err := c.Bucket.GetJSON(ctx, Job(jobID).Work(), &work); err != nil {
		return "", err
	}
	chunks, name := c.Bucket.Objects(Job(jobID).Prefix()), gathered(work.Config)
	if there, err := isThere(ctx, chunks, name); there || err != nil {
		return Kept, err
	}
	// The same chunks make the same bytes, so it does not matter who is first.
	return Done, c.stitch(ctx, jobID, work, chunks, name)
}
