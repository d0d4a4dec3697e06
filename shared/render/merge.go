package render

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"helios/shared/fault"
	"helios/shared/stitch"
	"helios/shared/store"
)

// Input is a chunk to be merged.
type Input struct {
	Name string
	// Frames is how many the chunk must have; 0 for any number.
	Frames int64
}

// Merge stitches chunks, in order, into the file output; see [MergeTo].
func Merge(ctx context.Context, chunks store.Store, inputs []Input, output string, overwrite bool) error {
	if err := CheckOutput(output, overwrite); err != nil {
		return err
	}
	dir := store.Dir("")
	if err := dir.RemovePartials(output); err != nil {
		return fault.Userf("removing what a killed merge left of %s: %w", output, err)
	}
	return MergeTo(ctx, chunks, inputs, dir, output, overwrite)
}

// MergeTo stitches chunks, in order, into an object of a store, which may be another one than that of the
// chunks. The chunks of a job must be all there, once, and made by the same versions of the tools; errors about
// a chunk name it and say what is wrong. Neither memory nor disk space grows with the length of the video.
func MergeTo(ctx context.Context, chunks store.Store, inputs []Input, to store.Store, output string, overwrite bool) error {
	list := make([]stitch.Chunk, len(inputs))
	for i, in := range inputs {
		list[i] = stitch.Chunk(in)
	}
	// The comment of the output is written before the chunks were all seen.
	first, err := stitch.Probe(ctx, chunks, list[0].Name)
	if err != nil {
		return userFault(err)
	}
	s := &sequence{chunks: len(list)}
	comment := ""
	if p, ok := provenanceOf(first.Comment); ok {
		comment = provenance{Tools: p.Tools}.comment()
	}
	w, err := to.Create(ctx, output)
	if err != nil {
		return writingFault(to, output, err)
	}
	defer w.Abort()
	if _, err := stitch.Write(ctx, w, chunks, list, stitch.Options{Comment: comment, Accept: s.accept}); err != nil {
		return userFault(err)
	}
	commit := w.CommitNew
	if overwrite {
		commit = w.Commit
	}
	if err := commit(); err != nil {
		return writingFault(to, output, err)
	}
	return nil
}

// writingFault explains why an output could not be made. A disk is the user's; a bucket knows whose fault it is.
func writingFault(to store.Store, output string, err error) error {
	_, disk := to.(store.Dir)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fault.Userf("%s exists; give --overwrite to replace it, or another name", output)
	case disk:
		return fault.Userf("writing %s: %w", output, err)
	}
	return err
}

// userFault marks an error about a chunk as the user's fault: the same chunk fails again, and so does one that is
// not there or cannot be opened.
func userFault(err error) error {
	chunk, file := new(stitch.ChunkError), new(fs.PathError)
	if errors.As(err, &chunk) || errors.Is(err, fs.ErrNotExist) || errors.As(err, &file) && file.Op == "open" {
		return fault.As(fault.User, err)
	}
	return err
}

// CheckOutput refuses, as a fault.User, an output that could not be written in the end.
func CheckOutput(output string, overwrite bool) error {
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
	probe, err := os.CreateTemp(dir, ".helios-*")
	if err != nil {
		return fault.Userf("writing %s: %w", output, errors.Unwrap(err))
	}
	probe.Close()
	return os.Remove(probe.Name())
}
