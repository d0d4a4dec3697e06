package render

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"

	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/stitch/mp4"
	"helios/shared/stitch/webm"
	"helios/shared/store"
	"helios/shared/tempfile"
)

// Input is a chunk to merge.
type Input struct {
	Name string
	// Frames is the number of frames that the chunk must have; 0 allows any number.
	Frames int64
}

// MergeOptions are the options for merging chunks.
type MergeOptions struct {
	// Config is the config of the job. Merging uses its format and, for GIF, WebP, APNG and image sequences, the settings
	// of the encoder. The suffix of the output selects the default format, or else it is MP4.
	Config job.Config
	// Sound is the name of the encoded sound in the store of the chunks; "" for none.
	Sound string
	// Overwrite lets the output replace an existing one.
	Overwrite bool
}

// Merge merges chunks, in order, into a file or folder. See [MergeTo].
func Merge(ctx context.Context, chunks store.Store, inputs []Input, output string, o MergeOptions) error {
	if err := CheckOutput(output, o.Overwrite); err != nil {
		return err
	}
	if err := tempfile.RemovePartials(output); err != nil {
		return fault.Userf("removing the partial files of %s: %w", output, err)
	}
	return MergeTo(ctx, chunks, inputs, store.Dir(""), output, o)
}

// MergeTo merges chunks, in order, into an object of a store, which may differ from that of the chunks. The chunks must
// be all chunks of one job, without duplicates, made by the same versions of Chromium and ffmpeg. An error about a
// chunk contains its name.
//
// For videos, memory and disk use do not grow with the length. For GIF, WebP, APNG and image sequences, a temporary
// file contains a copy of all frames.
func MergeTo(
	ctx context.Context, chunks store.Store, inputs []Input, to store.Store, output string, o MergeOptions,
) error {
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
	// The comment of the output is written before the other chunks are read.
	first, err := probe(ctx, o.Config.Format, chunks, list[0].Name)
	if err != nil {
		return err
	}
	comment := ""
	if p, ok := provenanceOf(first.Comment); ok {
		comment = provenance{Tools: p.Tools}.comment()
	}
	s := &sequence{chunks: len(list)}
	opts := stitch.Options{Comment: comment, Audio: o.Sound, Accept: s.accept}
	if o.Config.Format == job.WebM {
		_, err = webm.Write(ctx, w, chunks, list, webm.Options{Options: opts, FPS: o.Config.FPS})
	} else {
		_, err = mp4.Write(ctx, w, chunks, list, opts)
	}
	return err
}

// chunkFormat returns the format of the chunks of a job.
func chunkFormat(c job.Config) job.Format {
	if c.Format.Video() {
		return c.Format
	}
	return job.MOV
}

// probe returns what a chunk contains.
func probe(ctx context.Context, f job.Format, st store.Store, name string) (stitch.Info, error) {
	if f == job.WebM {
		info, err := webm.Probe(ctx, st, name)
		return info.Info, err
	}
	info, err := mp4.Probe(ctx, st, name)
	return info.Info, err
}

// chunkError classifies an error about a chunk as a user error: a retry cannot repair a missing, unreadable or invalid
// chunk.
func chunkError(err error) error {
	chunk, file := new(stitch.ChunkError), new(fs.PathError)
	if errors.As(err, &chunk) || errors.Is(err, fs.ErrNotExist) || errors.As(err, &file) && file.Op == "open" {
		return fault.Wrap(fault.User, err)
	}
	return err
}
