package encode

import (
	"slices"
	"strconv"
	"strings"

	"helios/shared/ffmpeg"
	"helios/shared/job"
)

// gopSeconds is the length of a group of pictures: players seek to the start of one.
const gopSeconds = 2

// groupLength returns the number of frames from one key frame to the next.
func groupLength(c job.Config) int {
	if c.GOP > 0 {
		return c.GOP
	}
	return max(1, int(c.FPS.Num*gopSeconds/c.FPS.Den))
}

// Timescale returns the ticks a second of a chunk's track, in which a frame lasts a whole number of ticks:
// a multiple of the rate's numerator, fine enough for players that round to it.
func Timescale(fps job.Rate) int64 {
	scale := fps.Num
	for scale < 10000 {
		scale *= 2
	}
	return scale
}

// colours returns the filter that turns the browser's colours into those of video. Frames of the stream are BT.601 in
// limited range; screenshots are RGB.
func colours(c job.Config) string {
	if c.Capture == job.CaptureStream {
		return "setparams=range=tv:colorspace=smpte170m:color_primaries=bt709:color_trc=bt709,colorspace=all=bt709"
	}
	return "scale=in_range=full:out_range=tv:out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int"
}

// always begins every command line. Without -xerror ffmpeg would call it a success that the end of the file
// found no space on the disk.
var always = append(slices.Clone(ffmpeg.QuietArgs), "-xerror", "-y")

// exact keeps dates and versions of the muxer out: the same frames give the same bytes.
var exact = []string{"-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"}

// arguments returns ffmpeg's command line for frames from in, through filters of their colours and of their times, to
// the file out.
func arguments(c job.Config, in []string, colours, times, comment, out string) []string {
	args := append(always[:len(always):len(always)], in...)
	args = append(args, "-map", "0:v:0", "-an")
	codec, muxer := codecs[c.VideoCodec], c.Format
	filters := func(list ...string) string {
		return strings.Join(slices.DeleteFunc(list, func(f string) bool { return f == "" }), ",")
	}
	pixels := "format=" + codec.pixels(c)
	if c.Format.Video() {
		// ProRes takes its colours from the frames, the others from the options.
		args = append(args, "-vf", filters(colours, pixels, times, "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"), "-c:v", c.VideoCodec)
		args = append(args, codec.args(c, groupLength(c))...)
		args = append(args, "-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
			"-flags:v", "+cgop")
		if c.Capture == job.CaptureStream {
			// Chromium averages the colour of 2x2 pixels.
			args = append(args, "-chroma_sample_location", "center")
		}
	} else {
		muxer = job.MOV
		args = append(append(args, "-vf", filters("scale", pixels, times)), pictureArgs...)
		args = append(args, "-color_range", "pc", "-colorspace", "rgb", "-color_primaries", "bt709", "-color_trc", "iec61966-2-1")
	}
	if muxer != job.WebM {
		args = append(args, "-video_track_timescale", strconv.FormatInt(Timescale(c.FPS), 10))
	}
	return append(append(args, exact...), "-metadata", "comment="+comment, "-f", string(muxer), "file:"+out)
}
