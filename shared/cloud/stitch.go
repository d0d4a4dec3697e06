package cloud

import (
	"context"
	"errors"
	"io/fs"

	"helios/shared/fault"
	"helios/shared/store"
)

// mergeJob puts the output of a job in its place and returns its size and its key.
func (c *Call) mergeJob(ctx context.Context, jobID string) (int64, string, error) {
	spec, err := c.spec(ctx, jobID)
	if err != nil {
		return 0, "", err
	}
	whole, output := c.Bucket.Objects(""), spec.Config.Output
	if spec.Config.Format.Video() {
		err = c.stitch(ctx, spec, whole, output)
	} else {
		err = move(ctx, c.Bucket.Objects(Job(jobID).Prefix()), gathered(spec.Config), whole, output)
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

// move writes an object of a store into another.
func move(ctx context.Context, from store.Store, name string, to store.Store, as string) error {
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
func (c *Call) blame(ctx context.Context, jobID string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if failures, listErr := c.failures(ctx, jobID); listErr == nil && len(failures) > 0 {
		return fault.Userf("%s: %w", failures[0].Message, err)
	}
	return err
}
