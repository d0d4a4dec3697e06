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
)

// finish makes an output of a format that is made from all frames at once.
func finish(ctx context.Context, chunks store.Store, inputs []Input, to store.Store, output string, o MergeOptions) error {
	// On a disk the frames lie beside the output, where there is most likely room for them.
	beside := ""
	disk, local := to.(store.Dir)
	if local {
		beside = filepath.Dir(filepath.Clean(disk.Path(output)))
		if err := os.MkdirAll(beside, 0o777); err != nil {
			return writeError(to, output, err)
		}
	}
	dir, err := os.MkdirTemp(beside, ".helios-frames-")
	if err != nil {
		return fmt.Errorf("making a folder for the frames: %w", err)
	}
	defer os.RemoveAll(dir)
	stitched, err := os.Create(filepath.Join(dir, "frames.mov"))
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
	made := filepath.Join(dir, "made"+filepath.Ext(strings.TrimSuffix(output, "/")))
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
