package cloud

import (
	"context"
	"encoding/json"
	"fmt"
)

// MergeEvent asks the merge function to stitch the chunks of a job.
type MergeEvent struct {
	Action string `json:"action"` // "merge"
	JobID  string `json:"jobId"`
}

// MergeResult says where the output is.
type MergeResult struct {
	// Output is its address, s3://bucket/key.
	Output string `json:"output"`
	Bytes  int64  `json:"bytes"`
}

func merge(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[MergeEvent](event)
	if err != nil {
		return nil, err
	}
	size, output, err := c.mergeJob(ctx, e.JobID)
	if err != nil {
		return nil, fmt.Errorf("merging: %w", err)
	}
	if err := c.reportDone(ctx, e.JobID, UnitMerge); err != nil {
		return nil, err
	}
	return MergeResult{Output: "s3://" + c.Bucket.Name + "/" + output, Bytes: size}, nil
}
