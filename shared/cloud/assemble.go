package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"path"

	"helios/shared/job"
)

// AssembleEvent asks the chunk function to encode an output that needs all frames at once, such as a GIF.
type AssembleEvent struct {
	Action string `json:"action"` // "assemble"
	JobID  string `json:"jobId"`
}

// AssembleResult is the response to an [AssembleEvent].
type AssembleResult struct {
	State State `json:"state"` // "done" or "kept"
}

// assembledName returns the name of the assembled output. It is stored beside the chunks, because the chunk function
// may write only below jobs/. The merge function copies it to the key of the output.
func assembledName(c job.Config) string { return "assembled" + path.Ext(c.Output) }

func assemble(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[AssembleEvent](event)
	if err != nil {
		return nil, err
	}
	if err := removeTempFiles(); err != nil {
		return nil, err
	}
	state, err := c.assemble(ctx, e.JobID)
	if err != nil {
		return nil, fmt.Errorf("assembling the output: %w", err)
	}
	return AssembleResult{state}, c.report(ctx, e.JobID, UnitAssemble, state)
}

func (c *Call) assemble(ctx context.Context, jobID string) (State, error) {
	header, err := c.header(ctx, jobID)
	if err != nil {
		return "", err
	}
	chunks, name := c.Bucket.Objects(Job(jobID).Prefix()), assembledName(header.Config)
	if found, err := exists(ctx, chunks, name); found || err != nil {
		return Kept, err
	}
	// Concurrent calls may overwrite each other's output: equal chunks produce equal bytes.
	return Done, c.stitch(ctx, header, chunks, name)
}
