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

// finish merges chunks into an output whose format is encoded from all frames at once, such as GIF.
func finish(
	ctx context.Context, chunks store.Store, inputs []Input, to store.Store, output string, o MergeOptions,
) error {
	disk, local := to.(store.Dir)
	o.Config.Output = output
	if encode.IsFolder(o.Config) && !local {
		return fault.Userf("%s is a folder, but a bucket has no folders; use a .zip output", output)
	}
	dir, err := finishDir(to, output)
	if err != nil {
		return err
	}
	defer dir.Remove()
	joined, err := os.Create(filepath.Join(dir.Path(), "frames.mov"))
	if err != nil {
		return err
	}
	defer joined.Close()
	if err := join(ctx, joined, chunks, inputs, o); err != nil {
		return chunkError(err)
	}
	if encode.IsFolder(o.Config) {
		return encode.Finish(ctx, o.Config, joined.Name(), disk.Path(output))
	}
	finished := filepath.Join(dir.Path(), "output"+filepath.Ext(strings.TrimSuffix(output, "/")))
	if err := encode.Finish(ctx, o.Config, joined.Name(), finished); err != nil {
		return err
	}
	r, err := os.Open(finished)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := store.Put(ctx, to, output, r, commitFunc(o.Overwrite)); err != nil {
		return writeError(to, output, err)
	}
	return nil
}

// finishDir creates the folder for the frames: next to an output on the disk, where there is most likely enough room.
func finishDir(to store.Store, output string) (dir *tempfile.Dir, err error) {
	if disk, local := to.(store.Dir); local {
		path := filepath.Clean(disk.Path(output))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return nil, writeError(to, output, err)
		}
		dir, err = tempfile.MkdirPartial(path)
	} else {
		dir, err = tempfile.MkdirTemp("")
	}
	if err != nil {
		return nil, fmt.Errorf("creating a folder for the frames: %w", err)
	}
	return dir, nil
}
