// Package webm joins chunks into one WebM file without re-encoding them, as package stitch does for MP4.
//
// A chunk is a WebM file with one video track, whose first frame is a key frame and whose frames are shown in
// the order in which they stand. All chunks of an output have the same codec settings, size and frame rate.
// Frame n of the output is shown at n*1000/fps milliseconds, rounded, and the output lasts exactly as long as
// its frames. It is itself a chunk that can be joined again, unless it has sound.
//
// Memory does not grow with the length of the output, but for 24 bytes for each half second: what is known of
// the blocks of chunks that do not fit is read again, and frames are copied one by one.
package webm

import (
	"context"
	"errors"
	"io"

	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/store"
)

// Options are what a caller of [Write] may want besides the frames.
type Options struct {
	// Comment is the text that the output carries as its comment; "" for none.
	Comment string
	// Accept, if not nil, is told what each chunk holds, in order, before anything is written. Its
	// error ends the stitching.
	Accept func(stitch.Chunk, Info) error
	// Audio is the name of a WebM file with one track, of sound, which the output gets as well; "" for none.
	Audio string
	// FPS is the frame rate that the chunks must have; the zero Rate for that of the first chunk.
	FPS job.Rate
}

// Info is what a file holds.
type Info struct {
	// Frames is the number of frames, at least 1.
	Frames int64
	// Width and Height are the size of a frame in pixels.
	Width, Height int
	// FPS is the frame rate. The file has it rounded to a nanosecond a frame: it is the common rate that this
	// stands for.
	FPS job.Rate
	// Codec is Matroska's name of the codec, such as V_VP9.
	Codec string
	// Alpha says that the frames have transparency.
	Alpha bool
	// Audio is the codec of the sound, such as A_OPUS; "" if there is none.
	Audio string
	// Bytes is the size of the file.
	Bytes int64
	// Comment is the text that the file carries as its comment, "" if it has none.
	Comment string
}

// Probe tells what a file holds. It succeeds only if the file is whole.
//
// The error is a [*stitch.ChunkError] if the file is at fault, and another if it could not be read.
func Probe(ctx context.Context, st store.Store, name string) (Info, error) {
	m, err := inspect(ctx, st, name, nil)
	if err != nil {
		return Info{}, err
	}
	if err := m.isVideo(); err != nil {
		return Info{}, named(name, err)
	}
	return m.info(), nil
}

// Write joins chunks, in the order given, and perhaps sound, into a WebM file that it writes to w from the
// first byte to the last, and tells what that file holds.
//
// Every chunk is checked before the first byte is written. The error is a [*stitch.ChunkError] if a chunk is
// at fault, and another if reading or writing failed or Accept refused. What w was given before an
// error is of no use.
func Write(ctx context.Context, w io.Writer, st store.Store, chunks []stitch.Chunk, opts Options) (Info, error) {
	if len(chunks) == 0 {
		return Info{}, errors.New("there are no chunks to stitch")
	}
	p, err := check(ctx, st, chunks, opts)
	if err != nil {
		return Info{}, err
	}
	if err := p.layOut(ctx); err != nil {
		return Info{}, err
	}
	if err := p.write(ctx, w, opts.Comment); err != nil {
		return Info{}, err
	}
	info := p.first.info()
	info.Frames, info.Comment, info.FPS = p.frames, opts.Comment, p.fps
	info.Bytes = p.size
	if p.sound != nil {
		info.Audio = p.sound.tracks[0].codec
	}
	return info, nil
}
