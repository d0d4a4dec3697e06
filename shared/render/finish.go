package render

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/store"
	"helios/shared/tempfile"
)

// finish makes an output of a format that is made from all frames at once.
func finish(ctx context.Context, chunks store.Store, inputs []Input, to store.Store, output string, o MergeOptions) error {
	disk, local := to.(store.Dir)
	var dir *tempfile.Dir
	var err error
	if local {
		// Next to the output there is most likely enough room.
		beside := filepath.Clean(disk.Path(output))
		if err := os.MkdirAll(filepath.Dir(beside), 0o777); err != nil {
			return writeError(to, output, err)
		}
		dir, err = tempfile.MkdirPartial(beside)
	} else {
		dir, err = tempfile.MkdirTemp("")
	}
	if err != nil {
		return fmt.Errorf("making a folder for the frames: %w", err)
	}
	defer dir.Remove()
	stitched, err := os.Create(filepath.Join(dir.Path(), "frames.mov"))
	if err != nil {
		return err
	}
	defer stitched.Close()
	if err := join(ctx, stitched, chunks, inputs, o); err != nil {
		return chunkError(err)
	}
	o.Config.Output = output
	if encode.Folder(o.Config) {
		if !local {
			return fault.Userf("%s is a folder, which a bucket has not; name the output .zip", output)
		}
		return encode.Finish(ctx, o.Config, stitched.Name(), disk.Path(output))
	}
	made := filepath.Join(dir.Path(), "made"+filepath.Ext(strings.TrimSuffix(output, "/")))
	if err := encode.Finish(ctx, o.Config, stitched.Name(), made); err != nil {
		return err
	}
	r, err := os.Open(made)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := store.Put(ctx, to, output, r, commitOf(o.Overwrite)); err != nil {
		return writeError(to, output, err)
	}
	return nil
}
