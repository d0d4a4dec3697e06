package encode

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"helios/shared/fault"
	"helios/shared/job"
)

// codec is an encoder of ffmpeg, with settings for chunks that can be joined.
type codec struct {
	// formats are the formats that can contain the encoded frames.
	formats []job.Format
	presets []string
	quality qualityRange
	// bitrate reports whether the encoder supports a target bit rate.
	bitrate bool
	// pixelFormat returns the pixel format for the bit depth and the transparency of a config, or "" if the encoder does
	// not support them.
	pixelFormat func(job.Config) string
	// even reports whether the encoder needs an even width and height, because it subsamples chroma.
	even bool
	// minSize is the smallest supported width and height in pixels; 0 means no limit.
	minSize int
	// args returns ffmpeg's arguments for the settings. gop is the number of frames from one key frame to the next.
	args func(c job.Config, gop int) []string
}

// qualityRange is the range of Config.Quality. The name is "" for encoders without a quality.
type qualityRange struct {
	name     string
	min, max int
}

// threads is the number of threads of an encoder. The encoded bytes depend on it, so it is the same on all machines. A
// machine with more cores runs more workers.
const threads = 4

var codecs = map[string]*codec{
	"libx264":      x264,
	"libx265":      x265,
	"libsvtav1":    svtav1,
	"libvpx-vp9":   vp9,
	"prores_ks":    prores,
	"gif":          {formats: []job.Format{job.GIF}, presets: noPresets, pixelFormat: rgb(true)},
	"libwebp_anim": {formats: []job.Format{job.WebP}, presets: noPresets, pixelFormat: rgb(true), quality: imageQuality},
	"apng":         {formats: []job.Format{job.APNG}, presets: noPresets, pixelFormat: rgb(true)},
	"png":          {formats: []job.Format{job.PNG}, presets: noPresets, pixelFormat: rgb(true)},
	"mjpeg":        {formats: []job.Format{job.JPEG}, presets: noPresets, pixelFormat: rgb(false), quality: imageQuality},
}

// Codecs returns the names of the video and image encoders.
func Codecs() []string { return slices.Sorted(maps.Keys(codecs)) }

// CodecsOf returns the names of the video and image encoders whose output a format can contain.
func CodecsOf(f job.Format) []string {
	return slices.DeleteFunc(Codecs(), func(name string) bool { return !slices.Contains(codecs[name].formats, f) })
}

// Presets returns the presets of all encoders, the fastest of each first.
func Presets() []string {
	var all []string
	for _, c := range []*codec{x264, svtav1, prores} {
		all = append(all, c.presets...)
	}
	return all
}

// PresetsOf returns the presets of an encoder, the fastest first; nil if the encoder is unknown.
func PresetsOf(videoCodec string) []string {
	if c := codecs[videoCodec]; c != nil {
		return slices.Clone(c.presets)
	}
	return nil
}

// Check returns a user error if the codec or the format does not support the settings.
func Check(c job.Config) error {
	codec := codecs[c.VideoCodec]
	if codec == nil {
		return fault.Userf("the video codec %q is not supported; use %s", c.VideoCodec, strings.Join(Codecs(), ", "))
	}
	if !slices.Contains(codec.formats, c.Format) {
		fitting := CodecsOf(c.Format)
		if len(fitting) == 0 {
			return fault.Userf("the format %q is not supported; use mp4, mov, webm, gif, webp, apng, png, jpeg", c.Format)
		}
		return fault.Userf("%s cannot contain %s; use %s", c.Format, c.VideoCodec, strings.Join(fitting, ", "))
	}
	for _, check := range []func(job.Config) error{
		checkAudio, codec.checkPixelFormat, codec.checkSize, codec.checkSettings, checkRate,
	} {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

func (codec *codec) checkPixelFormat(c job.Config) error {
	if codec.pixelFormat(c) != "" {
		return nil
	}
	defaultDepth := c
	defaultDepth.BitDepth = 0
	switch format := codec.pixelFormat(defaultDepth); {
	case format == "" && c.VideoCodec == "prores_ks":
		return fault.Userf("the preset %s of prores_ks does not support transparency; use 4444 or 4444xq", c.Preset)
	case format == "":
		return fault.Userf("%s with %s does not support transparency; use .webm with libvpx-vp9, .mov with prores_ks, "+
			".webp, .apng, .gif or a folder of PNG files", c.Format, c.VideoCodec)
	case c.Transparent:
		return fault.Userf("%s does not support transparency with %d bits per channel; leave the bit depth out",
			c.VideoCodec, c.BitDepth)
	default:
		return fault.Userf("%s does not support %d bits per channel; leave the bit depth out", c.VideoCodec, c.BitDepth)
	}
}

func (codec *codec) checkSize(c job.Config) error {
	width, height := c.Pixels()
	if codec.even && (width%2 != 0 || height%2 != 0) {
		return fault.Userf("%s with %s needs an even width and height, got %dx%d; use %dx%d",
			c.VideoCodec, codec.pixelFormat(c), width, height, width+width%2, height+height%2)
	}
	if width < codec.minSize || height < codec.minSize {
		return fault.Userf("%s needs at least %dx%d pixels, got %dx%d; use another video codec",
			c.VideoCodec, codec.minSize, codec.minSize, width, height)
	}
	return nil
}

func (codec *codec) checkSettings(c job.Config) error {
	switch q := codec.quality; {
	case c.Bitrate != 0 && !codec.bitrate:
		return fault.Userf("%s does not support a bit rate; leave it out", c.VideoCodec)
	case c.Bitrate != 0:
		// The bit rate replaces the quality.
	case q.name == "" && *c.Quality != 0:
		return fault.Userf("%s does not support a quality; leave it out", c.VideoCodec)
	case q.name != "" && (*c.Quality < q.min || *c.Quality > q.max):
		return fault.Userf("the quality of %s is a %s from %d to %d, got %d",
			c.VideoCodec, q.name, q.min, q.max, *c.Quality)
	}
	if !slices.Contains(codec.presets, c.Preset) {
		return fault.Userf("%s has no preset %q; use one of %s",
			c.VideoCodec, c.Preset, strings.Join(codec.presets, ", "))
	}
	return nil
}

// maxGIFRate is the highest frame rate that players support. They replace a delay of less than 2/100 s by 10/100 s.
const maxGIFRate = 50

func checkRate(c job.Config) error {
	// The timestamps of WebM are milliseconds.
	if c.Format == job.WebM && c.FPS.Num >= 1000*c.FPS.Den {
		return fault.Userf("webm supports less than 1000 frames per second, got %s; use a lower rate or .mp4", c.FPS)
	}
	if c.Format == job.GIF && c.FPS.Num > maxGIFRate*c.FPS.Den {
		return fault.Userf("gif supports at most %d frames per second, got %s; use a lower rate or .webp",
			maxGIFRate, c.FPS)
	}
	return nil
}

// depth returns the bits per channel of a config, or the default of the encoder.
func depth(c job.Config, byDefault int) int {
	if c.BitDepth == 0 {
		return byDefault
	}
	return c.BitDepth
}

// yuv420 is the pixelFormat of encoders with 8 and 10 bits and without transparency.
func yuv420(c job.Config) string {
	if c.Transparent {
		return ""
	}
	switch depth(c, 8) {
	case 8:
		return "yuv420p"
	case 10:
		return "yuv420p10le"
	}
	return ""
}

// numbers returns the presets first to last, counting up or down.
func numbers(first, last int) (list []string) {
	step := 1
	if last < first {
		step = -1
	}
	for n := first; n != last+step; n += step {
		list = append(list, fmt.Sprint(n))
	}
	return list
}
