package encode

import (
	"fmt"
	"strconv"

	"helios/shared/job"
)

var svtav1 = &codec{
	formats: []job.Format{job.MP4, job.WebM},
	presets: numbers(13, 0),
	// SVT-AV1 ignores a CRF of 0.
	quality:     qualityRange{"CRF", 1, 63},
	bitrate:     true,
	pixelFormat: yuv420,
	even:        true,
	minSize:     64,
	args: func(c job.Config, gop int) []string {
		// Closed GOPs, no key frames at scene cuts, and a fixed number of processors.
		params := fmt.Sprintf("irefresh-type=2:scd=0:lp=%d", threads)
		return append(rateArgs(c), "-preset", c.Preset, "-g", strconv.Itoa(gop), "-svtav1-params", params)
	},
}
