// Package stitch joins chunks into one MP4 file without re-encoding them.
//
// A chunk is an MP4 or MOV file with one video track: frames of one length, its first sample a sync
// sample that nothing is shown before. All chunks of an output have the same encoder settings, size,
// timescale and frame duration. The output holds exactly their frames in order and lasts exactly as
// many frame durations. Without sound it is itself a chunk that can be stitched again.
//
// Neither memory nor open files grow with the length of the output, but for the sound's sample tables, which take
// less than a megabyte for an hour: a chunk's sample tables are read
// again each time that one of the output's tables is written, and sample bytes are copied from file to
// file.
//
// MP4 has its own chunks, runs of samples that lie together. They are called runs here.
package stitch

import (
	"context"
	"errors"
	"io"

	"helios/shared/store"
)

// Chunk is a file to be stitched.
type Chunk struct {
	// Name is the chunk's name in the store.
	Name string
	// Frames is the number of frames that the chunk must have; 0 if any will do.
	Frames int64
}

// Options are what a caller of [Write] may want besides the frames.
type Options struct {
	// Comment is the text that the output carries as its comment; "" for none.
	Comment string
	// Sound is the name in the store of an MP4 or MOV file with one track, of sound; "" for none. Its packets
	// and its edit list are taken as they are, and lie behind the pictures of the same half second.
	Sound string
	// Accept, if not nil, is told what each chunk holds, in order, before anything is written. Its
	// error ends the stitching.
	Accept func(Chunk, Info) error
}

// Info is what a file holds.
type Info struct {
	// Frames is the number of frames, at least 1.
	Frames int64
	// Width and Height are the size of a frame in pixels.
	Width, Height int
	// Timescale is the number of ticks in a second. Each frame lasts FrameDuration ticks, so the
	// frame rate is Timescale/FrameDuration and the file lasts Frames*FrameDuration ticks.
	Timescale, FrameDuration uint32
	// Codec is the type of the sample entry, such as avc1 or hev1.
	Codec string
	// Bytes is the size of the file.
	Bytes int64
	// Comment is the text that the file carries as its comment, "" if it has none.
	Comment string
}

// Probe tells what a chunk holds. It succeeds only if the chunk is whole and could be stitched: its
// tables are sound and every sample that they name lies in the file. It reads no sample bytes.
//
// The error is a [*ChunkError] if the chunk is at fault, and another if it could not be read.
func Probe(ctx context.Context, st store.Store, name string) (Info, error) {
	m, err := inspect(ctx, st, name)
	if err != nil {
		return Info{}, err
	}
	return m.info(), nil
}

// Write stitches chunks, in the order given, into an MP4 file that it writes to w from the first byte
// to the last, and tells what that file holds.
//
// Every chunk is checked before the first byte is written. The error is a [*ChunkError] if a chunk is
// at fault, and another if reading or writing failed or Accept refused. What w was given before an
// error is of no use.
func Write(ctx context.Context, w io.Writer, st store.Store, chunks []Chunk, opts Options) (Info, error) {
	if len(chunks) == 0 {
		return Info{}, errors.New("there are no chunks to stitch")
	}
	p, err := check(ctx, st, chunks, opts.Accept)
	if err != nil {
		return Info{}, err
	}
	if opts.Sound != "" {
		sound, err := openSound(ctx, st, opts.Sound)
		if err != nil {
			return Info{}, err
		}
		defer sound.Close()
		p.interleave(sound)
	}
	head, err := p.head(ctx, opts.Comment)
	if err != nil {
		return Info{}, err
	}
	if err := p.writeHead(w, head); err != nil {
		return Info{}, err
	}
	if err := p.writeSamples(ctx, w); err != nil {
		return Info{}, err
	}
	info := p.first.info()
	info.Frames = p.frames
	info.Bytes = head.size + p.bytes + p.sound.total()
	info.Comment = opts.Comment
	return info, nil
}
