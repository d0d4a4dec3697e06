package cloud

import (
	"context"
	"errors"
	"io/fs"

	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/render"
)

// mergeJob stitches the chunks of a job and returns the size and the key of the output.
func (c *Call) mergeJob(ctx context.Context, jobID string) (int64, string, error) {
	data, err := c.Bucket.Get(ctx, Job(jobID).Spec())
	if err != nil {
		return 0, "", err
	}
	spec, err := job.Parse(data)
	if err != nil {
		return 0, "", err
	}
	inputs := make([]render.Input, len(spec.Partitions))
	for i, p := range spec.Partitions {
		inputs[i] = render.Input{Name: p.OutputFile, Frames: p.FrameCount}
	}
	chunks, whole := c.Bucket.Objects(Job(jobID).Prefix()), c.Bucket.Objects("")
	if err := render.MergeTo(ctx, chunks, inputs, whole, spec.Config.Output, render.MergeOptions{Config: spec.Config, Sound: spec.Merge.Audio, Overwrite: true}); err != nil {
		return 0, "", c.blame(ctx, jobID, err)
	}
	r, err := whole.Open(ctx, spec.Config.Output)
	if err != nil {
		return 0, "", err
	}
	defer r.Close()
	return r.Size(), spec.Config.Output, nil
}

// blame says why a chunk is not there, if it is known.
func (c *Call) blame(ctx context.Context, jobID string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if failures, listErr := c.failures(ctx, jobID); listErr == nil && len(failures) > 0 {
		return fault.Userf("%s: %w", failures[0].Message, err)
	}
	return err
}
