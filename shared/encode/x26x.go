package encode

import (
	"fmt"
	"strconv"

	"helios/shared/job"
)

var x26xPresets = []string{
	"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
}

var x264 = &codec{
	formats:     []job.Format{job.MP4, job.MOV},
	presets:     x26xPresets,
	quality:     qualityRange{"CRF", 0, 51},
	bitrate:     true,
	pixelFormat: yuv420,
	even:        true,
	args: func(c job.Config, gop int) []string {
		return append(rateArgs(c), "-preset", c.Preset, "-threads", strconv.Itoa(threads),
			// No key frames at scene cuts: their positions would depend on the start of the partition.
			"-sc_threshold", "0",
			"-g", strconv.Itoa(gop))
	},
}

var x265 = &codec{
	formats:     []job.Format{job.MP4, job.MOV},
	presets:     x26xPresets,
	quality:     qualityRange{"CRF", 0, 51},
	bitrate:     true,
	pixelFormat: yuv420,
	even:        true,
	minSize:     16,
	args: func(c job.Config, gop int) []string {
		// Without info=0, the stream contains the settings and the instruction sets of the machine. Thread pools change
		// the frames, and x265 has none where it cannot read /sys, as on AWS Lambda.
		params := fmt.Sprintf("log-level=error:pools=none:frame-threads=%d:info=0:"+
			"scenecut=0:open-gop=0:keyint=%d:min-keyint=%d", threads, gop, gop)
		if *c.Quality == 0 && c.Bitrate == 0 {
			params += ":lossless=1"
		}
		// Apple's players require the tag hvc1.
		return append(rateArgs(c), "-preset", c.Preset, "-tag:v", "hvc1", "-x265-params", params)
	},
}

// rateArgs returns the arguments for the average bit rate or the CRF.
func rateArgs(c job.Config) []string {
	if c.Bitrate > 0 {
		return []string{"-b:v", strconv.FormatInt(c.Bitrate, 10)}
	}
	return []string{"-crf", strconv.Itoa(*c.Quality)}
}
