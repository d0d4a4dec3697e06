package encode

import (
	"strconv"

	"helios/shared/job"
)

// firstRealtime is the slowest preset that uses the realtime mode. In the good mode, higher presets are not faster than
// 5.
const firstRealtime = 6

var vp9 = &codec{
	formats: []job.Format{job.WebM},
	presets: numbers(8, 0),
	quality: qualityRange{"CRF", 0, 63},
	bitrate: true,
	pixelFormat: func(c job.Config) string {
		if !c.Transparent {
			return yuv420(c)
		}
		if depth(c, 8) == 8 {
			return "yuva420p"
		}
		return ""
	},
	args: func(c job.Config, gop int) []string {
		deadline, profile := "good", "0"
		if speed, _ := strconv.Atoi(c.Preset); speed >= firstRealtime {
			deadline = "realtime"
		}
		if c.BitDepth == 10 {
			profile = "2"
		}
		args := append(rateArgs(c), "-deadline", deadline, "-cpu-used", c.Preset, "-profile:v", profile,
			"-threads", strconv.Itoa(threads), "-row-mt", "1",
			// Alternate reference frames would be packets without a visible frame. They do not support transparency.
			"-auto-alt-ref", "0",
			// Equal values turn off key frames at scene cuts.
			"-g", strconv.Itoa(gop), "-keyint_min", strconv.Itoa(gop))
		if c.Bitrate > 0 {
			return args
		}
		if *c.Quality == 0 {
			args = append(args, "-lossless", "1")
		}
		return append(args, "-b:v", "0")
	},
}
