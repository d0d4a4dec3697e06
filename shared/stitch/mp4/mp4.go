// Package mp4 joins MP4 or MOV files into one by copying their samples.
//
// # Input
//
// A chunk has one video track. All its frames have the same duration. Its first sample is a sync sample and is
// displayed first. All chunks of an output have the same codec settings, frame size, timescale and frame duration.
// Fragmented files, edit lists that hide frames and open GOPs are not supported; [Write] names the chunk and the
// reason.
//
// # Output
//
// The output is an ftyp, a moov and one mdat box, in this order, so that playback can start before the download ends.
// Decode times, composition offsets and the edit list are new: the output lasts exactly its number of frames times the
// frame duration. Samples are written in runs of half a second. The audio of the same half second follows each run.
//
// ISO/IEC 14496-12 calls such a run a chunk. In this package, a chunk is always an input file.
//
// # Memory
//
// Up to 32 MiB of the chunks' moov boxes, which contain the sample tables, stay in memory. The others are read again
// for each table of the output. The sample tables of the audio stay in memory, too: less than a megabyte for an hour.
// On Linux, the kernel copies samples from file to file.
package mp4

import (
	"context"
	"io"

	"helios/shared/stitch"
	"helios/shared/store"
)

// Info describes an MP4 or MOV file.
type Info struct {
	stitch.Info
	// Timescale is the number of ticks in a second. Each frame lasts FrameDuration ticks. So the frame rate is
	// Timescale/FrameDuration, and the file lasts Frames*FrameDuration ticks.
	Timescale, FrameDuration uint32
}

// Probe returns the properties of a chunk. It succeeds only if the chunk is complete and can be joined: its tables are
// consistent and all samples are inside the file. It does not read the samples.
//
// The error is a [*stitch.ChunkError] if the chunk cannot be used, and another one if it cannot be read.
func Probe(ctx context.Context, st store.Store, name string) (Info, error) {
	m, err := inspect(ctx, st, name)
	if err != nil {
		return Info{}, err
	}
	return m.info(), nil
}

// Write joins chunks in the given order and writes the output to w sequentially. It returns the properties of the
// output.
//
// All chunks are checked before the first byte is written. The error is a [*stitch.ChunkError] if a chunk or the audio
// cannot be used, and another one if reading or writing fails or if opts.Accept fails. After an error, the bytes that
// w received are not a valid file.
func Write(ctx context.Context, w io.Writer, st store.Store, chunks []stitch.Chunk, opts stitch.Options) (Info, error) {
	p, err := newPlan(ctx, st, chunks, opts.Accept)
	if err != nil {
		return Info{}, err
	}
	if opts.Audio != "" {
		audio, err := openAudio(ctx, st, opts.Audio)
		if err != nil {
			return Info{}, err
		}
		defer audio.Close()
		p.interleave(audio)
	}
	head, err := p.head(ctx, opts.Comment)
	if err != nil {
		return Info{}, err
	}
	if err := writeHead(w, head); err != nil {
		return Info{}, err
	}
	if err := p.writeSamples(ctx, w); err != nil {
		return Info{}, err
	}
	info := p.first.info()
	info.Frames = p.frames
	info.Bytes = head.size + p.bytes + p.audio.total()
	info.Comment = opts.Comment
	return info, nil
}
