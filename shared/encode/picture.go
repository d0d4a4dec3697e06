package encode

import (
	"strconv"

	"helios/shared/job"
)

// noPresets is the preset of encoders that have none.
var noPresets = []string{"default"}

var pictureQuality = scale{"number", 0, 100}

// rgb is the pixel format of the chunks of formats that are finished when all frames are there.
func rgb(transparent bool) func(job.Config) string {
	return func(c job.Config) string {
		switch {
		case depth(c, 8) != 8 || c.Transparent && !transparent:
			return ""
		case c.Transparent:
			return "rgba"
		}
		return "rgb24"
	}
}

// pictureArgs are the settings of such chunks: lossless, and a key frame each.
var pictureArgs = []string{
	"-c:v", "png", "-pred", "mixed", "-compression_level", "1", "-threads", strconv.Itoa(threads),
}
