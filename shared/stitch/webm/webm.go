// Package webm joins WebM files into one by copying their blocks.
//
// # Input
//
// A chunk has one video track. Its first frame is a key frame, and its frames are stored in display order. All chunks
// of an output have the same codec settings, frame size and frame rate. Laced blocks and timestamps in units other
// than a millisecond are not supported; [Write] names the chunk and the reason.
//
// # Output
//
// Frame n has the timestamp n·1000/fps, rounded to a millisecond. The timestamps of the chunks are ignored. The
// duration in the header is exact. Clusters start with key frames, at least 500 ms apart, and the cues at the start of
// the file list them. Blocks are sorted by timestamp, so video and audio are interleaved. The transparency of a frame,
// which WebM stores in BlockAdditions, is copied with it.
//
// WebM stores the duration of a frame in nanoseconds, which is exact for few frame rates. [Info] has the common rate
// that rounds to this duration, and [Options] can state the rate.
//
// # Memory
//
// Write makes two passes over the blocks: one for the sizes of clusters, which the header needs, and one to copy them.
// The positions of 400,000 blocks are kept in memory. Those of further blocks are read again in each pass. The size and
// the cue of each cluster take about 100 bytes.
//
// RFC 8794 specifies EBML, RFC 9559 specifies Matroska, and https://www.webmproject.org/docs/container/ lists the parts
// that WebM uses.
package webm

import (
	"context"
	"io"

	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/store"
)

// Options are the settings of an output.
type Options struct {
	stitch.Options
	// FPS is the frame rate that the chunks must have. If it is zero, the first chunk determines the rate.
	FPS job.Rate
}

// Info describes a WebM file.
type Info struct {
	stitch.Info
	// FPS is the frame rate: the common rate that rounds to the duration stored in the file.
	FPS job.Rate
	// Alpha reports whether the frames have transparency.
	Alpha bool
	// AudioCodec is the codec of the audio, such as A_OPUS; "" if there is none.
	AudioCodec string
}

// Probe returns the properties of a file. It succeeds only if the file is complete.
//
// The error is a [*stitch.ChunkError] if the file cannot be used, and another one if it cannot be read.
func Probe(ctx context.Context, st store.Store, name string) (Info, error) {
	m, err := inspect(ctx, st, name, nil)
	if err != nil {
		return Info{}, err
	}
	if err := m.checkVideo(); err != nil {
		return Info{}, stitch.Named(name, err)
	}
	return m.info(), nil
}

// Write joins chunks in the given order and writes the output to w sequentially. It returns the properties of the
// output.
//
// All chunks are checked before the first byte is written. The error is a [*stitch.ChunkError] if a chunk or the audio
// cannot be used, and another one if reading or writing fails or if opts.Accept fails. After an error, the bytes that
// w received are not a valid file.
func Write(ctx context.Context, w io.Writer, st store.Store, chunks []stitch.Chunk, opts Options) (Info, error) {
	p, err := newPlan(ctx, st, chunks, opts)
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
	if p.audio != nil {
		info.AudioCodec = p.audio.tracks[0].codec
	}
	return info, nil
}
