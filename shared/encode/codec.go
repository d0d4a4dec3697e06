package encode

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"helios/shared/fault"
	"helios/shared/job"
)

// codec is an encoder of ffmpeg and how it is told to make chunks that stitch: one kind of settings,
// closed GOPs, constant frame duration, and the same bytes for the same frames on every machine.
type codec struct {
	// pixels is the pixel format, which halves the colour in both directions: sizes have to be even.
	pixels  string
	quality int // the worst CRF; the best is 0
	presets []string
	args    func(gop int) []string
}

// threads is the number of frames that an encoder works on at once. The bytes depend on it, so it is the
// same everywhere; workers are what uses more cores.
const threads = 4

var x26xPresets = []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"}

var codecs = map[string]*codec{
	"libx264": {"yuv420p", 51, x26xPresets, func(gop int) []string {
		return []string{
			"-threads", strconv.Itoa(threads),
			// A scene cut would put a key frame at a place that depends on where the partition began.
			"-sc_threshold", "0",
			"-g", strconv.Itoa(gop),
		}
	}},
	"libx265": {"yuv420p", 51, x26xPresets, func(gop int) []string {
		// Without info=0 the settings and the machine's instruction sets would stand in the stream. Thread pools
		// change the pictures, and x265 makes none where it cannot read /sys, as on AWS Lambda.
		return []string{"-tag:v", "hvc1", "-x265-params", fmt.Sprintf(
			"log-level=error:pools=none:frame-threads=%d:info=0:scenecut=0:open-gop=0:keyint=%d:min-keyint=%d", threads, gop, gop)}
	}},
}

// audioCodecs are the encoders of sound that every player of MP4 understands.
var audioCodecs = []string{"aac"}

// Codecs returns the names of the encoders that chunks can be made with.
func Codecs() []string { return slices.Sorted(maps.Keys(codecs)) }

// AudioCodecs returns the names of the encoders that sound can be encoded with.
func AudioCodecs() []string { return slices.Clone(audioCodecs) }

// Presets returns the trades of speed against size that the encoders know, the fastest first.
func Presets() []string { return slices.Clone(x26xPresets) }

// Check refuses settings that the encoder would refuse, by its rule. The error is a fault.User.
func Check(c job.Config) error {
	codec := codecs[c.VideoCodec]
	if codec == nil {
		return fault.Userf("the video codec %q is none of %s", c.VideoCodec, strings.Join(Codecs(), ", "))
	}
	if !slices.Contains(audioCodecs, c.AudioCodec) {
		return fault.Userf("the audio codec %q is none of %s", c.AudioCodec, strings.Join(audioCodecs, ", "))
	}
	if c.Format != job.MP4 {
		return fault.Userf("the format %s cannot be written; use mp4", c.Format)
	}
	if width, height := c.Pixels(); width%2 != 0 || height%2 != 0 {
		return fault.Userf("%s with %s needs an even width and height, got %dx%d; use %dx%d",
			c.VideoCodec, codec.pixels, width, height, width+width%2, height+height%2)
	}
	if c.Quality > codec.quality {
		return fault.Userf("the quality of %s is a CRF from 0 to %d, got %d", c.VideoCodec, codec.quality, c.Quality)
	}
	if !slices.Contains(codec.presets, c.Preset) {
		return fault.Userf("%s has no preset %q; use one of %s", c.VideoCodec, c.Preset, strings.Join(codec.presets, ", "))
	}
	return nil
}

// gopSeconds is the length of a group of pictures: players seek to the start of one.
const gopSeconds = 2

// Timescale returns the ticks a second of a chunk's track, in which a frame lasts a whole number of ticks:
// a multiple of the rate's numerator, fine enough for players that round to it.
func Timescale(fps job.Rate) int64 {
	scale := fps.Num
	for scale < 10000 {
		scale *= 2
	}
	return scale
}

// fromRGB turns the browser's colours into those of video.
const fromRGB = "scale=in_range=full:out_range=tv:out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int,"

// arguments returns ffmpeg's command line for frames from in, through a filter, to the file out.
func arguments(c job.Config, in []string, filter, comment, out string) []string {
	codec := codecs[c.VideoCodec]
	gop := max(1, int(c.FPS.Num*gopSeconds/c.FPS.Den))
	// Without -xerror ffmpeg would call it a success that the end of the file found no space on the disk.
	args := append([]string{"-hide_banner", "-loglevel", "repeat+error", "-nostdin", "-xerror", "-y"}, in...)
	args = append(args, "-map", "0:v:0", "-an",
		"-vf", filter+"format="+codec.pixels,
		"-c:v", c.VideoCodec, "-preset", c.Preset, "-crf", strconv.Itoa(c.Quality))
	args = append(args, codec.args(gop)...)
	return append(args,
		"-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
		"-video_track_timescale", strconv.FormatInt(Timescale(c.FPS), 10),
		// No dates and no versions of the muxer: the same frames give the same bytes.
		"-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact+cgop",
		"-metadata", "comment="+comment,
		"-f", "mp4", "file:"+out)
}
