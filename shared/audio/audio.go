// Package audio mixes the tracks of a composition to one track and encodes it.
//
// # Exactness
//
// ffmpeg decodes, resamples, measures and encodes. This package computes the position of each sample with exact
// rationals, so each sound starts at the exact sample. From the decoder to the encoder, samples are 32-bit floats at
// [Rate], in [Channels] channels. They are not rounded or clipped in between, and the number of tracks does not change
// the level of a track. At the end, samples above full scale are clipped, and all others keep their exact value.
//
// # Loudness
//
// With [Options.Loudness], the mix is normalised to a loudness as EBU R 128 defines it, and a limiter keeps its peaks
// below -1 dBTP.
//
// # Files
//
// [Mix] writes the encoded track. Decoded sources and the mix are temporary files next to it, so memory use does not
// depend on the length.
package audio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/job"
	"helios/shared/tempfile"
)

const (
	// Rate is the sample rate of every output, in samples per second.
	Rate = 48000
	// Channels is the number of channels of every output.
	Channels = 2

	// sampleSize is the size of one sample of all channels, in bytes.
	sampleSize = 4 * Channels
)

// Options are the tracks to mix and the settings of the encoder.
type Options struct {
	// Tracks are the tracks to mix. Their sources are local files. A source without sound, such as a silent video, is
	// skipped.
	Tracks []job.Track
	// FPS, StartFrame and FrameCount select the part of the composition: it starts with the sample at StartFrame/FPS
	// seconds and lasts FrameCount/FPS seconds, rounded to samples.
	FPS                    job.Rate
	StartFrame, FrameCount int64
	// Codec is one of [Codecs].
	Codec string
	// Container is one of [Containers]; "" is the first.
	Container string
	// Bitrate is in bits per second; 0 is the default of the codec. Lossless codecs have none.
	Bitrate int64
	// Loudness is the loudness of the mix in LUFS, from -70 to -5; 0 keeps the levels.
	Loudness float64
}

// Mix mixes the tracks to the file out, which it replaces. The same sources give the same bytes. After an error, out
// does not exist.
//
// The error is a user error if an option is invalid, if a source is missing or cannot be decoded, or if out cannot be
// written. It is transient if ffmpeg was killed.
func Mix(ctx context.Context, o Options, out string) (err error) {
	defer func() {
		// out can be a device, such as /dev/full.
		if info, statErr := os.Lstat(out); err != nil && statErr == nil && info.Mode().IsRegular() {
			os.Remove(out)
		}
	}()
	if err := o.Check(); err != nil {
		return err
	}
	m := &mix{
		start:  o.FPS.At(o.StartFrame),
		length: round(samplesAt(o.FPS.At(o.FrameCount))),
		folder: filepath.Dir(out),
	}
	if m.file, err = createTemp(m.folder); err != nil {
		return err
	}
	defer m.file.Close()
	if err := m.addAll(ctx, o.Tracks); err != nil {
		return err
	}
	level := level{gain: 1}
	if o.Loudness != 0 {
		if level, err = m.normalise(ctx, o.Loudness); err != nil {
			return err
		}
	}
	cmd, err := ffmpeg.Command(o.arguments(out)...)
	if err != nil {
		return err
	}
	if err := m.pipe(ctx, cmd, level); err != nil {
		if writeErr := ffmpeg.WriteError(out); writeErr != nil && ctx.Err() == nil {
			return writeErr
		}
		return fmt.Errorf("encoding the sound: %w", err)
	}
	return nil
}

// Check returns a user error if an option is invalid.
func (o *Options) Check() error {
	if err := checkCodec(o.Codec, o.Container); err != nil {
		return err
	}
	switch {
	case o.FPS.IsZero() || o.FrameCount <= 0 || o.StartFrame < 0:
		return fault.Userf("the sound cannot have %d frames from frame %d at %q frames per second; "+
			"use a frame rate, a start of at least 0 and at least one frame", o.FrameCount, o.StartFrame, o.FPS)
	case o.Bitrate != 0 && (o.Bitrate < 8000 || o.Bitrate > 1e6):
		return fault.Userf("the audio bit rate must be from 8000 to 1000000 bits per second, got %d", o.Bitrate)
	case o.Loudness != 0 && (o.Loudness < -70 || o.Loudness > -5):
		return fault.Userf("the loudness must be from -70 to -5 LUFS, got %g", o.Loudness)
	}
	for _, t := range o.Tracks {
		if !(t.Volume >= 0 && t.Volume <= 10) {
			return fault.Userf("the volume of %s must be a factor from 0 to 10, got %g", t.Source, t.Volume)
		}
		if t.Rate != 0 && !(t.Rate >= 1./16 && t.Rate <= 16) {
			return fault.Userf("the rate of %s must be from 0.0625 to 16, got %g", t.Source, t.Rate)
		}
	}
	return nil
}

// samplesAt converts seconds to samples.
func samplesAt(seconds *big.Rat) *big.Rat {
	return new(big.Rat).Mul(seconds, new(big.Rat).SetInt64(Rate))
}

// round returns the nearest integer. It rounds halves up.
func round(x *big.Rat) int64 {
	doubled := new(big.Int).Lsh(x.Num(), 1)
	doubled.Add(doubled, x.Denom())
	return doubled.Div(doubled, new(big.Int).Lsh(x.Denom(), 1)).Int64()
}

// createTemp creates a temporary file in a folder.
func createTemp(folder string) (*os.File, error) {
	f, err := tempfile.Unnamed(folder)
	if err != nil {
		return nil, writeError(folder, err)
	}
	return f, nil
}

// writeError returns a user error: the user has to make the folder writable, or free space.
func writeError(folder string, err error) error {
	return fault.Userf("writing to %s: %w", folder, withoutPath(err))
}

// withoutPath returns the cause of an error about a file, without the name of the file.
func withoutPath(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
