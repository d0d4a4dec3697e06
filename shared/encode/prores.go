package encode

import (
	"slices"
	"strconv"

	"helios/shared/job"
)

// prores4444 are the presets without chroma subsampling. They support transparency.
var prores4444 = []string{"4444", "4444xq"}

// quantisers are fixed quantisers for the presets. Without one, ffmpeg searches a quantiser for each slice. That takes
// five to seven times the CPU time and often gives larger files of lower quality.
var quantisers = map[string]string{
	"proxy": "7", "lt": "2", "standard": "2", "hq": "2", "4444": "2", "4444xq": "1",
}

// prores is ProRes. Its presets are Apple's: they set the pixel format, the quantisation matrix and the quantiser.
var prores = &codec{
	formats: []job.Format{job.MOV},
	presets: append([]string{"proxy", "lt", "standard", "hq"}, prores4444...),
	pixelFormat: func(c job.Config) string {
		full := slices.Contains(prores4444, proresProfile(c))
		switch {
		case depth(c, 10) != 10 || c.Transparent && !full:
			return ""
		case c.Transparent:
			return "yuva444p10le"
		case full:
			return "yuv444p10le"
		}
		return "yuv422p10le"
	},
	args: func(c job.Config, _ int) []string {
		profile := proresProfile(c)
		return []string{
			"-profile:v", profile, "-qscale:v", quantisers[profile], "-vendor", "apl0", "-threads", strconv.Itoa(threads),
		}
	},
}

// proresProfile returns ffmpeg's profile for the preset. The default, hq, does not support transparency, so transparent
// output uses 4444 instead.
func proresProfile(c job.Config) string {
	if c.Transparent && c.Preset == "hq" {
		return "4444"
	}
	return c.Preset
}
