package encode

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"helios/shared/fault"
	"helios/shared/job"
)

// codec is an encoder of ffmpeg and how it is told to make chunks that stitch: one kind of settings,
// closed GOPs, constant frame duration, and the same bytes for the same frames on every machine.
type codec struct {
	// formats are the files that it can stand in.
	formats []job.Format
	presets []string
	quality scale
	// bitrate says that it can aim at a number of bits a second.
	bitrate bool
	// pixels returns the pixel format for the bit depth and the transparency that are asked for, "" if it has
	// none.
	pixels func(job.Config) string
	// even says that colour is halved in both directions by an encoder that does not take odd sizes.
	even bool
	// least is the smallest width and height; 0 is 1.
	least int
	// args are its settings in ffmpeg's words; gop is the number of frames from key frame to key frame.
	args func(c job.Config, gop int) []string
}

// scale is what an encoder takes for Quality; without a name it has none.
type scale struct {
	name        string
	least, most int
}

// threads is the number of frames that an encoder works on at once. The bytes depend on it, so it is the
// same everywhere; workers are what uses more cores.
const threads = 4

var codecs = map[string]*codec{
	"libx264":      x264,
	"libx265":      x265,
	"libsvtav1":    svtav1,
	"libvpx-vp9":   vp9,
	"prores_ks":    prores,
	"gif":          {formats: []job.Format{job.GIF}, presets: noPresets, pixels: rgb(true)},
	"libwebp_anim": {formats: []job.Format{job.WebP}, presets: noPresets, pixels: rgb(true), quality: pictureQuality},
	"apng":         {formats: []job.Format{job.APNG}, presets: noPresets, pixels: rgb(true)},
	"png":          {formats: []job.Format{job.PNG}, presets: noPresets, pixels: rgb(true)},
	"mjpeg":        {formats: []job.Format{job.JPEG}, presets: noPresets, pixels: rgb(false), quality: pictureQuality},
}

// Codecs returns the names of the encoders of pictures.
func Codecs() []string { return slices.Sorted(maps.Keys(codecs)) }

// CodecsOf returns the names of the encoders of pictures that a format can hold.
func CodecsOf(f job.Format) []string {
	return slices.DeleteFunc(Codecs(), func(name string) bool { return !slices.Contains(codecs[name].formats, f) })
}

// Presets returns the trades of speed against size that the encoders know, those of each the fastest first.
func Presets() []string {
	var all []string
	for _, c := range []*codec{x264, svtav1, prores} {
		all = append(all, c.presets...)
	}
	return all
}

// PresetsOf returns the presets of an encoder, the fastest first; nil for one that is not known.
func PresetsOf(videoCodec string) []string {
	if c := codecs[videoCodec]; c != nil {
		return slices.Clone(c.presets)
	}
	return nil
}

// Check refuses settings that the encoder would refuse, by its rule. The error is a fault.User.
func Check(c job.Config) error {
	codec := codecs[c.VideoCodec]
	if codec == nil {
		return fault.Userf("the video codec %q is none of %s", c.VideoCodec, strings.Join(Codecs(), ", "))
	}
	if !slices.Contains(codec.formats, c.Format) {
		fitting := CodecsOf(c.Format)
		if len(fitting) == 0 {
			return fault.Userf("the format %q is none of mp4, mov, webm, gif, webp, apng, png, jpeg", c.Format)
		}
		return fault.Userf("%s cannot stand in %s; use %s", c.VideoCodec, c.Format, strings.Join(fitting, ", "))
	}
	for _, check := range []func(job.Config) error{checkAudio, codec.checkPixels, codec.checkSize, codec.checkSettings, checkRate} {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

// checkPixels refuses a bit depth or a transparency that the encoder does not have.
func (codec *codec) checkPixels(c job.Config) error {
	if codec.pixels(c) != "" {
		return nil
	}
	plain := c
	plain.BitDepth = 0
	switch usual := codec.pixels(plain); {
	case usual == "" && c.VideoCodec == "prores_ks":
		return fault.Userf("the preset %s of prores_ks has no transparency; use 4444 or 4444xq", c.Preset)
	case usual == "":
		return fault.Userf("%s with %s has no transparency; use .webm with libvpx-vp9, .mov with prores_ks, .webp, .apng, .gif or a folder of PNG files", c.Format, c.VideoCodec)
	case c.Transparent:
		return fault.Userf("%s has no transparency with %d bits a colour; leave the bit depth out", c.VideoCodec, c.BitDepth)
	default:
		return fault.Userf("%s has no %d bits a colour; leave the bit depth out", c.VideoCodec, c.BitDepth)
	}
}

func (codec *codec) checkSize(c job.Config) error {
	width, height := c.Pixels()
	if codec.even && (width%2 != 0 || height%2 != 0) {
		return fault.Userf("%s with %s needs an even width and height, got %dx%d; use %dx%d",
			c.VideoCodec, codec.pixels(c), width, height, width+width%2, height+height%2)
	}
	if width < codec.least || height < codec.least {
		return fault.Userf("%s makes no pictures smaller than %dx%d, got %dx%d; use another video codec",
			c.VideoCodec, codec.least, codec.least, width, height)
	}
	return nil
}

func (codec *codec) checkSettings(c job.Config) error {
	switch q := codec.quality; {
	case c.Bitrate != 0 && !codec.bitrate:
		return fault.Userf("%s takes no bit rate; leave it out", c.VideoCodec)
	case c.Bitrate != 0:
		// It takes the place of the quality.
	case q.name == "" && *c.Quality != 0:
		return fault.Userf("%s has no quality to choose; leave it out", c.VideoCodec)
	case q.name != "" && (*c.Quality < q.least || *c.Quality > q.most):
		return fault.Userf("the quality of %s is a %s from %d to %d, got %d", c.VideoCodec, q.name, q.least, q.most, *c.Quality)
	}
	if !slices.Contains(codec.presets, c.Preset) {
		return fault.Userf("%s has no preset %q; use one of %s", c.VideoCodec, c.Preset, strings.Join(codec.presets, ", "))
	}
	return nil
}

// maxGIFRate is the most frames a second that players of GIF show: they take a delay of less than 2/100 s for
// one of 10/100 s.
const maxGIFRate = 50

func checkRate(c job.Config) error {
	if c.Format == job.WebM && c.FPS.Num >= 1000*c.FPS.Den {
		return fault.Userf("webm counts in milliseconds and shows less than 1000 frames a second, got %s; use a lower rate or .mp4", c.FPS)
	}
	if c.Format == job.GIF && c.FPS.Num > maxGIFRate*c.FPS.Den {
		return fault.Userf("gif shows at most %d frames a second, got %s; use a lower rate or .webp", maxGIFRate, c.FPS)
	}
	return nil
}

// depth returns the bits of a colour that are asked for, or those that the encoder usually has.
func depth(c job.Config, usual int) int {
	if c.BitDepth == 0 {
		return usual
	}
	return c.BitDepth
}

// yuv420 is the pixel format of an encoder without transparency that has 8 and 10 bits.
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

// numbers returns from to to, counting up or down, as presets.
func numbers(from, to int) (list []string) {
	step := 1
	if to < from {
		step = -1
	}
	for n := from; n != to+step; n += step {
		list = append(list, fmt.Sprint(n))
	}
	return list
}
