package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"helios/shared/fault"
	"helios/shared/render"
	"helios/shared/store"
)

// MergeEvent asks the merge function to write the output of a job.
type MergeEvent struct {
	Action string `json:"action"` // "merge"
	JobID  string `json:"jobId"`
}

// MergeResult is the response to a [MergeEvent].
type MergeResult struct {
	Output string `json:"output"` // s3://bucket/key
	Bytes  int64  `json:"bytes"`
}

func merge(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[MergeEvent](event)
	if err != nil {
		return nil, err
	}
	size, output, err := c.merge(ctx, e.JobID)
	if err != nil {
		return nil, fmt.Errorf("merging: %w", err)
	}
	if err := c.report(ctx, e.JobID, UnitMerge, Done); err != nil {
		return nil, err
	}
	return MergeResult{Output: "s3://" + c.Bucket.Name + "/" + output, Bytes: size}, nil
}

// merge writes the output of a job and returns its size and key.
func (c *Call) merge(ctx context.Context, jobID string) (size int64, output string, err error) {
	header, err := c.header(ctx, jobID)
	if err != nil {
		return 0, "", err
	}
	bucket := c.Bucket.Objects("")
	output = header.Config.Output
	if header.Config.Format.Video() {
		err = c.stitch(ctx, header, bucket, output)
	} else {
		err = copyObject(ctx, bucket, Job(jobID).Prefix()+assembledName(header.Config), output)
	}
	if err != nil {
		return 0, "", err
	}
	r, err := bucket.Open(ctx, output)
	if err != nil {
		return 0, "", err
	}
	defer r.Close()
	return r.Size(), output, nil
}

// stitch joins the chunks of a job and writes the result to an object of a store.
func (c *Call) stitch(ctx context.Context, header JobHeader, to store.Store, name string) error {
	keys := Job(header.JobID)
	var items []PartitionItem
	if err := c.Bucket.GetJSON(ctx, keys.Partitions(), &items); err != nil {
		return err
	}
	if len(items) != header.Partitions {
		return fmt.Errorf("%s has %d partitions, want %d", keys.Partitions(), len(items), header.Partitions)
	}
	inputs := make([]render.Input, len(items))
	for i, p := range items {
		inputs[i] = render.Input{Name: p.OutputFile, Frames: p.FrameCount}
	}
	o := render.MergeOptions{Config: header.Config, Overwrite: true}
	if header.Audio != nil {
		o.Sound = header.Audio.OutputFile
	}
	err := render.MergeTo(ctx, c.Bucket.Objects(keys.Prefix()), inputs, to, name, o)
	return c.explainMissingChunk(ctx, header.JobID, err)
}

func copyObject(ctx context.Context, s store.Store, from, to string) error {
	w, err := s.Create(ctx, to)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := store.Get(ctx, s, from, w); err != nil {
		return err
	}
	return w.Commit()
}

// explainMissingChunk adds the recorded failure of a partition to the error about a missing chunk.
func (c *Call) explainMissingChunk(ctx context.Context, jobID string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if failures, listErr := c.failures(ctx, jobID, time.Time{}); listErr == nil && len(failures) > 0 {
		return fault.Userf("%s: %w", failures[0].Message, err)
	}
	return err
}
