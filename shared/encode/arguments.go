package encode

import (
	"slices"
	"strconv"
	"strings"

	"helios/shared/ffmpeg"
	"helios/shared/job"
)

// gopSeconds is the default length of a GOP. Players seek to the start of a GOP.
const gopSeconds = 2

// gopLength returns the number of frames from one key frame to the next.
func gopLength(c job.Config) int {
	if c.GOP > 0 {
		return c.GOP
	}
	return max(1, int(c.FPS.Num*gopSeconds/c.FPS.Den))
}

// Timescale returns the ticks per second of a chunk's track. It is a multiple of the numerator of the frame rate, so
// each frame lasts a whole number of ticks, and at least 10000, because some players round times to ticks.
func Timescale(fps job.Rate) int64 {
	scale := fps.Num
	for scale < 10000 {
		scale *= 2
	}
	return scale
}

// colourFilter returns the filter that converts the colours of frames to BT.709 in limited range. Frames of the stream
// are BT.601 in limited range; screenshots are RGB.
func colourFilter(c job.Config) string {
	if c.Capture == job.CaptureStream {
		return "setparams=range=tv:colorspace=smpte170m:color_primaries=bt709:color_trc=bt709,colorspace=all=bt709"
	}
	return "scale=in_range=full:out_range=tv:out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int"
}

// commonArgs start every command line. Without -xerror, ffmpeg exits with 0 if the disk is full when it closes the
// file.
var commonArgs = append(slices.Clone(ffmpeg.QuietArgs), "-xerror", "-y")

// exactArgs keep dates and versions of ffmpeg's libraries out of the file, so that the same frames give the same bytes.
var exactArgs = []string{"-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"}

// command describes a command line of ffmpeg that encodes a chunk.
type command struct {
	config job.Config
	input  []string // arguments that describe the input
	// colours and times are filters for the colours and the timestamps of the frames; "" changes nothing.
	colours, times string
	comment        string
	out            string
}

func (c command) args() []string {
	config := c.config
	args := slices.Concat(commonArgs, c.input, []string{"-map", "0:v:0", "-an"})
	codec, muxer := codecs[config.VideoCodec], config.Format
	filters := func(list ...string) string {
		return strings.Join(slices.DeleteFunc(list, func(f string) bool { return f == "" }), ",")
	}
	pixels := "format=" + codec.pixelFormat(config)
	if config.Format.Video() {
		// prores_ks takes the colours from the frames, the other encoders from the options.
		const tags = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
		args = append(args, "-vf", filters(c.colours, pixels, c.times, tags), "-c:v", config.VideoCodec)
		args = append(args, codec.args(config, gopLength(config))...)
		args = append(args,
			"-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
			"-flags:v", "+cgop")
		if config.Capture == job.CaptureStream {
			// Chromium averages the chroma of 2x2 pixels.
			args = append(args, "-chroma_sample_location", "center")
		}
	} else {
		muxer = job.MOV
		args = append(append(args, "-vf", filters("scale", pixels, c.times)), pngArgs...)
		args = append(args,
			"-color_range", "pc", "-colorspace", "rgb", "-color_primaries", "bt709", "-color_trc", "iec61966-2-1")
	}
	if muxer != job.WebM {
		args = append(args, "-video_track_timescale", strconv.FormatInt(Timescale(config.FPS), 10))
	}
	return append(append(args, exactArgs...), "-metadata", "comment="+c.comment, "-f", string(muxer), "file:"+c.out)
}
