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

// mergeJob puts the output of a job in its place and returns its size and its key.
func (c *Call) mergeJob(ctx context.Context, jobID string) (int64, string, error) {
	// Not the spec, which is ten times as large: what merging needs of it is here as well.
	var header JobHeader
	if err := c.Bucket.GetJSON(ctx, Job(jobID).Header(), &header); err != nil {
		return 0, "", err
	}
	whole, output := c.Bucket.Objects(""), header.Config.Output
	var err error
	if header.Config.Format.Video() {
		err = c.stitch(ctx, jobID, header, whole, output)
	} else {
		err = copyObject(ctx, c.Bucket.Objects(Job(jobID).Prefix()), assembledName(header.Config), whole, output)
	}
	if err != nil {
		return 0, "", err
	}
	r, err := whole.Open(ctx, output)
	if err != nil {
		return 0, "", err
	}
	defer r.Close()
	return r.Size(), output, nil
}

// stitch makes the output of a job of its chunks.
func (c *Call) stitch(ctx context.Context, jobID string, header JobHeader, to store.Store, name string) error {
	var items []PartitionItem
	if err := c.Bucket.GetJSON(ctx, Job(jobID).Partitions(), &items); err != nil {
		return err
	}
	if len(items) != header.Partitions {
		return fmt.Errorf("%s has %d partitions, and the job %d", Job(jobID).Partitions(), len(items), header.Partitions)
	}
	inputs := make([]render.Input, len(items))
	for i, w := range items {
		inputs[i] = render.Input{Name: w.OutputFile, Frames: w.FrameCount}
	}
	sound := ""
	if header.Audio != nil {
		sound = header.Audio.OutputFile
	}
	chunks := c.Bucket.Objects(Job(jobID).Prefix())
	err := render.MergeTo(ctx, chunks, inputs, to, name, render.MergeOptions{Config: header.Config, Sound: sound, Overwrite: true})
	return c.explainMissingChunk(ctx, jobID, err)
}

// move writes an object of a store into another.
func copyObject(ctx context.Context, from store.Store, name string, to store.Store, as string) error {
	w, err := to.Create(ctx, as)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := store.Get(ctx, from, name, w); err != nil {
		return err
	}
	return w.Commit()
}

// blame says why a chunk is not there, if it is known.
func (c *Call) explainMissingChunk(ctx context.Context, jobID string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if failures, listErr := c.failures(ctx, jobID, time.Time{}); listErr == nil && len(failures) > 0 {
		return fault.Userf("%s: %w", failures[0].Message, err)
	}
	return err
}
