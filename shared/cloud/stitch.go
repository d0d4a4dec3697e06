package cloud

import (
	"context"
	"os"
	"path/filepath"

	"helios/shared/job"
	"helios/shared/render"
	"helios/shared/store"
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
	dir, err := os.MkdirTemp("", workPrefix)
	if err != nil {
		return 0, "", err
	}
	defer os.RemoveAll(dir)
	var inputs []render.Input
	for _, p := range spec.Partitions {
		data, err := c.Bucket.Get(ctx, Job(jobID).Prefix()+p.OutputFile)
		if err != nil {
			return 0, "", err
		}
		if err := os.WriteFile(filepath.Join(dir, p.OutputFile), data, 0o600); err != nil {
			return 0, "", err
		}
		inputs = append(inputs, render.Input{Name: p.OutputFile, Frames: p.FrameCount})
	}
	out := filepath.Join(dir, "out")
	if err := render.Merge(ctx, store.Dir(dir), inputs, out, render.MergeOptions{Config: spec.Config, Overwrite: true}); err != nil {
		return 0, "", err
	}
	data, err = os.ReadFile(out)
	if err != nil {
		return 0, "", err
	}
	return int64(len(data)), spec.Config.Output, c.Bucket.Put(ctx, spec.Config.Output, data)
}
