package encode

import (
	"strconv"

	"helios/shared/job"
)

// noPresets is the list for encoders without presets.
var noPresets = []string{"default"}

var imageQuality = qualityRange{"number", 0, 100}

// rgb returns the pixelFormat of the formats that [Finish] encodes. Their chunks contain PNG frames.
func rgb(transparency bool) func(job.Config) string {
	return func(c job.Config) string {
		switch {
		case depth(c, 8) != 8 || c.Transparent && !transparency:
			return ""
		case c.Transparent:
			return "rgba"
		}
		return "rgb24"
	}
}

// pngArgs are ffmpeg's arguments for PNG frames.
var pngArgs = []string{
	"-c:v", "png", "-pred", "mixed", "-compression_level", "1", "-threads", strconv.Itoa(threads),
}
