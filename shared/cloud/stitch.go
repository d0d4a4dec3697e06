package cloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"helios/shared/fault"
	"helios/shared/render"
	"helios/shared/store"
)

// mergeJob stitches the chunks of a job and returns the size and the key of the output.
func (c *Call) mergeJob(ctx context.Context, jobID string) (int64, string, error) {
	// Not the spec, which is ten times as large: what merging needs of it is here as well.
	var work Work
	if err := c.Bucket.GetJSON(ctx, Job(jobID).Work(), &work); err != nil {
		return 0, "", err
	}
	var items []WorkItem
	if err := c.Bucket.GetJSON(ctx, Job(jobID).Partitions(), &items); err != nil {
		return 0, "", err
	}
	if len(items) != work.Partitions {
		return 0, "", fmt.Errorf("%s has %d partitions, and the job %d", Job(jobID).Partitions(), len(items), work.Partitions)
	}
	inputs := make([]render.Input, len(items))
	for i, w := range items {
		inputs[i] = render.Input{Name: w.OutputFile, Frames: w.FrameCount}
	}
	sound := ""
	if work.Audio != nil {
		sound = work.Audio.OutputFile
	}
	output := work.Config.Output
	chunks, whole := store.NewS3(c.Bucket.Client, c.Bucket.Name, Job(jobID).Prefix()), store.NewS3(c.Bucket.Client, c.Bucket.Name, "")
	if err := render.MergeTo(ctx, chunks, inputs, whole, output, render.MergeOptions{Config: work.Config, Sound: sound, Overwrite: true}); err != nil {
		return 0, "", c.blame(ctx, jobID, err)
	}
	r, err := whole.Open(ctx, output)
	if err != nil {
		return 0, "", err
	}
	defer r.Close()
	return r.Size(), output, nil
}

// blame says why a chunk is not there, if it is known.
func (c *Call) blame(ctx context.Context, jobID string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if failures, listErr := c.failures(ctx, jobID, time.Time{}); listErr == nil && len(failures) > 0 {
		return fault.Userf("%s: %w", failures[0].Message, err)
	}
	return err
}
