package render

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/stitch/mp4"
	"helios/shared/stitch/webm"
	"helios/shared/store"
	"helios/shared/tempfile"
)

// Input is a chunk to be merged.
type Input struct {
	Name string
	// Frames is how many the chunk must have; 0 for any number.
	Frames int64
}

// MergeOptions say what chunks become.
type MergeOptions struct {
	// Config is that of the job. Its format counts, and for a format that is made from all frames at once
	// all that the encoder needs. Without a format it is that of the output's name, or else MP4.
	Config job.Config
	// Sound is the name of the encoded sound beside the chunks; "" for none.
	Sound string
	// Overwrite lets the output replace what has its name.
	Overwrite bool
}

// Merge stitches chunks, in order, into the file or folder output; see [MergeTo].
func Merge(ctx context.Context, chunks store.Store, inputs []Input, output string, o MergeOptions) error {
	if err := CheckOutput(output, o.Overwrite); err != nil {
		return err
	}
	dir := store.Dir("")
	if err := dir.RemovePartials(output); err != nil {
		return fault.Userf("removing what a killed merge left of %s: %w", output, err)
	}
	return MergeTo(ctx, chunks, inputs, dir, output, o)
}

// MergeTo stitches chunks, in order, into an object of a store, which may be another one than that of the
// chunks. The chunks of a job must be all there, once, and made by the same versions of the tools; errors about
// a chunk name it and say what is wrong. Neither memory nor disk space grows with the length of a video; of the
// other formats the frames are on the disk once more, for a while.
func MergeTo(ctx context.Context, chunks store.Store, inputs []Input, to store.Store, output string, o MergeOptions) error {
	if o.Config.Format == "" {
		o.Config.Format = cmp.Or(job.FormatOf(output), job.MP4)
	}
	if !o.Config.Format.Video() {
		return finish(ctx, chunks, inputs, to, output, o)
	}
	w, err := to.Create(ctx, output)
	if err != nil {
		return writeError(to, output, err)
	}
	defer w.Abort()
	if err := join(ctx, w, chunks, inputs, o); err != nil {
		return chunkError(err)
	}
	return commit(w, to, output, o.Overwrite)
}

// join writes the chunks as one video.
func join(ctx context.Context, w io.Writer, chunks store.Store, inputs []Input, o MergeOptions) error {
	list := make([]stitch.Chunk, len(inputs))
	for i, in := range inputs {
		list[i] = stitch.Chunk(in)
	}
	// The comment of the output is written before the chunks were all seen.
	first, err := probe(ctx, o.Config.Format, chunks, list[0].Name)
	if err != nil {
		return err
	}
	s := &sequence{chunks: len(list)}
	comment := ""
	if p, ok := provenanceOf(first.Comment); ok {
		comment = provenance{Tools: p.Tools}.comment()
	}
	opts := stitch.Options{Comment: comment, Audio: o.Sound, Accept: s.accept}
	if o.Config.Format == job.WebM {
		_, err = webm.Write(ctx, w, chunks, list, webm.Options{Options: opts, FPS: o.Config.FPS})
	} else {
		_, err = mp4.Write(ctx, w, chunks, list, opts)
	}
	return err
}

// probe reads what a chunk of a format contains.
func probe(ctx context.Context, f job.Format, st store.Store, name string) (stitch.Info, error) {
	if f == job.WebM {
		info, err := webm.Probe(ctx, st, name)
		return info.Info, err
	}
	info, err := mp4.Probe(ctx, st, name)
	return info.Info, err
}

func commit(w store.Writer, to store.Store, output string, overwrite bool) error {
	if err := commitOf(overwrite)(w); err != nil {
		return writeError(to, output, err)
	}
	return nil
}

// commitOf returns the commit that may, or may not, replace what is there.
func commitOf(overwrite bool) func(store.Writer) error {
	if overwrite {
		return store.Writer.Commit
	}
	return store.Writer.CommitNew
}

// writeError explains why an output could not be made. A disk is the user's; a bucket knows whose fault it is.
func writeError(to store.Store, output string, err error) error {
	_, disk := to.(store.Dir)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fault.Userf("%s exists; give --overwrite to replace it, or another name", output)
	case disk:
		return fault.Userf("writing %s: %w", output, err)
	}
	return err
}

// chunkError marks an error about a chunk as the user's fault: the same chunk fails again, and so does one that is
// not there or cannot be opened.
func chunkError(err error) error {
	chunk, file := new(stitch.ChunkError), new(fs.PathError)
	if errors.As(err, &chunk) || errors.Is(err, fs.ErrNotExist) || errors.As(err, &file) && file.Op == "open" {
		return fault.Wrap(fault.User, err)
	}
	return err
}

// CheckOutput refuses, as a fault.User, an output that could not be written in the end.
func CheckOutput(output string, overwrite bool) error {
	if strings.HasSuffix(output, "/") {
		return encode.CheckFolder(output, overwrite)
	}
	info, err := os.Stat(output)
	switch {
	case err == nil && info.IsDir():
		return fault.Userf("%s is a folder; name a file", output)
	case err == nil && !overwrite:
		return fault.Userf("%s exists; give --overwrite to replace it, or another name", output)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fault.Userf("writing %s: %w", output, err)
	}
	// The output's folder has to be there, and to let us make a file in it.
	dir := filepath.Dir(output)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fault.Userf("writing %s: %w", output, err)
	}
	probe, err := tempfile.Unnamed(dir)
	if err != nil {
		return fault.Userf("writing %s: %w", output, errors.Unwrap(err))
	}
	return probe.Close()
}
