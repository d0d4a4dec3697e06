// Package audio makes the sound of an output: one track, mixed from all tracks of a composition and encoded.
//
// ffmpeg decodes, resamples, measures and encodes. Where each sample goes is counted here, in exact rationals, so
// that a sound is heard in the very sample that its time says and no track's level depends on how many others
// play. Samples are 32-bit floats at [Rate], in [Channels] channels, from the first decoder to the encoder: nothing is
// rounded and nothing clips on the way. At the end, what is above full scale is clipped; what is not is left as
// it is, bit for bit.
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
	// Rate is the number of samples in a second of every output.
	Rate = 48000
	// Channels is the number of channels of every output.
	Channels = 2

	sampleSize = 4 * Channels // bytes of a sample of all channels
)

// Options says what to mix, and how to encode it.
type Options struct {
	// Tracks are what is to be heard; their sources are files. A track whose source holds no sound, such as a
	// silent video, is passed over.
	Tracks []job.Track
	// FPS, StartFrame and FrameCount say what part of the composition the output is: it begins with the sample
	// at StartFrame/FPS seconds and lasts FrameCount/FPS seconds, to the nearest sample.
	FPS                    job.Rate
	StartFrame, FrameCount int64
	// Codec is one of [Codecs].
	Codec string
	// Container is the suffix of a kind of file that holds the codec, without the dot; "" is the first of
	// [Containers].
	Container string
	// Bitrate is in bits a second; 0 is a good one for the codec. Those that lose nothing have none.
	Bitrate int64
	// Loudness is what the whole is brought to, in LUFS, from -70 to -5, with true peaks below -1 dBTP; 0 leaves
	// the levels as they are.
	Loudness float64
}

// Mix mixes the tracks into the file out, which is replaced. The same sources make the same bytes. After an error,
// out is gone.
//
// The error is a fault.User if an option is wrong, a source is missing or cannot be decoded, or out cannot
// be written; a fault.Transient if ffmpeg was killed.
func Mix(ctx context.Context, o Options, out string) (err error) {
	defer func() {
		if info, gone := os.Lstat(out); err != nil && gone == nil && info.Mode().IsRegular() {
			os.Remove(out)
		}
	}()
	if err := o.Check(); err != nil {
		return err
	}
	m := &mix{
		start:  o.FPS.At(o.StartFrame),
		length: nearest(samplesAt(o.FPS.At(o.FrameCount))),
		folder: filepath.Dir(out),
	}
	if m.file, err = scratch(m.folder); err != nil {
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
		if full := ffmpeg.WriteError(out); full != nil && ctx.Err() == nil {
			return full
		}
		return fmt.Errorf("encoding the sound: %w", err)
	}
	return nil
}

// Check refuses options with which nothing can be mixed. The error is a fault.User.
func (o *Options) Check() error {
	if err := checkCodec(o.Codec, o.Container); err != nil {
		return err
	}
	switch {
	case o.FPS.IsZero() || o.FrameCount <= 0 || o.StartFrame < 0:
		return fault.Userf("%d frames from frame %d at %q frames a second have no sound; give a rate, a start of at least 0 and at least one frame",
			o.FrameCount, o.StartFrame, o.FPS)
	case o.Bitrate != 0 && (o.Bitrate < 8000 || o.Bitrate > 1e6):
		return fault.Userf("the bit rate of sound is from 8000 to 1000000 bits a second, got %d", o.Bitrate)
	case o.Loudness != 0 && (o.Loudness < -70 || o.Loudness > -5):
		return fault.Userf("the loudness is from -70 to -5 LUFS, got %g", o.Loudness)
	}
	for _, t := range o.Tracks {
		if !(t.Volume >= 0 && t.Volume <= 10) {
			return fault.Userf("the volume of %s is a factor from 0 to 10, got %g", t.Source, t.Volume)
		}
		if t.Rate != 0 && !(t.Rate >= 1./16 && t.Rate <= 16) {
			return fault.Userf("the rate of %s is from 0.0625 to 16, got %g", t.Source, t.Rate)
		}
	}
	return nil
}

// samplesAt returns a time in samples.
func samplesAt(seconds *big.Rat) *big.Rat {
	return new(big.Rat).Mul(seconds, new(big.Rat).SetInt64(Rate))
}

// nearest rounds, halves up.
func nearest(x *big.Rat) int64 {
	doubled := new(big.Int).Lsh(x.Num(), 1)
	doubled.Add(doubled, x.Denom())
	return doubled.Div(doubled, new(big.Int).Lsh(x.Denom(), 1)).Int64()
}

// scratch returns a file in a folder that has no name, so that it is gone however this process ends.
func scratch(folder string) (*os.File, error) {
	f, err := tempfile.Unnamed(folder)
	if err != nil {
		return nil, unwritable(folder, err)
	}
	return f, nil
}

// unwritable says that a folder takes no more, which the user can mend.
func unwritable(folder string, err error) error {
	return fault.Userf("writing to %s: %w", folder, withoutPath(err))
}

// withoutPath returns what went wrong with a file, without its name.
func withoutPath(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
