package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"helios/shared/addr"
	"helios/shared/fault"
	"helios/shared/store"
)

// Fetch downloads an object, given by its s3:// address, to a file. The file appears only when it is complete. If it
// already exists, Fetch replaces it or, without overwrite, returns an fs.ErrExist.
func (s *Stack) Fetch(ctx context.Context, address, file string, overwrite bool) error {
	bucket, key, ok := addr.SplitS3(address)
	if !ok {
		return fmt.Errorf("%q is not the s3:// address of an object", address)
	}
	w, err := store.Dir("").Create(ctx, file)
	if err != nil {
		return fault.Userf("writing %s: %w", file, err)
	}
	defer w.Abort()
	err = store.Get(ctx, store.NewS3(s.Bucket.Client, bucket, ""), key, w)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Userf("downloading %s: the object does not exist; it may have been deleted", address)
	}
	if err != nil {
		return fmt.Errorf("downloading %s: %w", address, err)
	}
	if overwrite {
		return w.Commit()
	}
	return w.CommitNew()
}
