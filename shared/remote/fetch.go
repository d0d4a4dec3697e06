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

// Fetch downloads an object, given by its s3:// address, into a file. The file is there whole or not at all; one
// that is there is replaced if overwrite says so, and an fs.ErrExist otherwise.
func (s *Stack) Fetch(ctx context.Context, address, file string, overwrite bool) error {
	bucket, key, ok := addr.SplitS3(address)
	if !ok {
		return fmt.Errorf("%q is no address of an object", address)
	}
	w, err := store.Dir("").Create(ctx, file)
	if err != nil {
		return fault.Userf("writing %s: %w", file, err)
	}
	defer w.Abort()
	err = store.Get(ctx, store.NewS3(s.Bucket.Client, bucket, ""), key, w)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Userf("%s is not there any more", address)
	}
	if err != nil {
		return fmt.Errorf("downloading %s: %w", address, err)
	}
	if overwrite {
		return w.Commit()
	}
	return w.CommitNew()
}
