package encode

import (
	"strconv"

	"helios/shared/job"
)

// realtime is the first of VP9's presets that its fast mode has; the slow one knows no faster than that.
const realtime = 6

var vp9 = &codec{
	formats: []job.Format{job.WebM},
	presets: numbers(8, 0),
	quality: scale{"CRF", 0, 63},
	bitrate: true,
	pixels: func(c job.Config) string {
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
		if speed, _ := strconv.Atoi(c.Preset); speed >= realtime {
			deadline = "realtime"
		}
		if c.BitDepth == 10 {
			profile = "2"
		}
		args := append(rateFactor(c), "-deadline", deadline, "-cpu-used", c.Preset, "-profile:v", profile,
			"-threads", strconv.Itoa(threads), "-row-mt", "1",
			// Hidden frames would make packets that are no frame of ours, and do not go with transparency.
			"-auto-alt-ref", "0",
			// When both are the same there are no key frames at scene cuts.
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
