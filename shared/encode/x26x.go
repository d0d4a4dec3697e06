package encode

import (
	"fmt"
	"strconv"

	"helios/shared/job"
)

var x26xPresets = []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"}

var x264 = &codec{
	formats: []job.Format{job.MP4, job.MOV},
	presets: x26xPresets,
	quality: scale{"CRF", 0, 51},
	bitrate: true,
	pixels:  yuv420,
	even:    true,
	args: func(c job.Config, gop int) []string {
		return append(rateFactor(c), "-preset", c.Preset, "-threads", strconv.Itoa(threads),
			// A scene cut would put a key frame at a place that depends on where the partition began.
			"-sc_threshold", "0",
			"-g", strconv.Itoa(gop))
	},
}

var x265 = &codec{
	formats: []job.Format{job.MP4, job.MOV},
	presets: x26xPresets,
	quality: scale{"CRF", 0, 51},
	bitrate: true,
	pixels:  yuv420,
	even:    true,
	least:   16,
	args: func(c job.Config, gop int) []string {
		// Without info=0 the settings and the machine's instruction sets would stand in the stream. Thread pools
		// change the pictures, and x265 makes none where it cannot read /sys, as on AWS Lambda.
		params := fmt.Sprintf("log-level=error:pools=none:frame-threads=%d:info=0:scenecut=0:open-gop=0:keyint=%d:min-keyint=%d", threads, gop, gop)
		if *c.Quality == 0 && c.Bitrate == 0 {
			params += ":lossless=1"
		}
		// Apple's players want the tag hvc1.
		return append(rateFactor(c), "-preset", c.Preset, "-tag:v", "hvc1", "-x265-params", params)
	},
}

// rateFactor asks for an average bit rate or a constant rate factor.
func rateFactor(c job.Config) []string {
	if c.Bitrate > 0 {
		return []string{"-b:v", strconv.FormatInt(c.Bitrate, 10)}
	}
	return []string{"-crf", strconv.Itoa(*c.Quality)}
}
