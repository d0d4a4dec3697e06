package encode

import (
	"fmt"
	"strconv"

	"helios/shared/job"
)

var svtav1 = &codec{
	formats: []job.Format{job.MP4, job.WebM},
	presets: numbers(13, 0),
	// It takes a rate factor of 0 for none at all.
	quality: scale{"CRF", 1, 63},
	bitrate: true,
	pixels:  yuv420,
	even:    true,
	least:   64,
	args: func(c job.Config, gop int) []string {
		return append(rateFactor(c), "-preset", c.Preset, "-g", strconv.Itoa(gop),
			// Key frames that nothing looks across, no others at scene cuts, and a fixed number of processors.
			"-svtav1-params", fmt.Sprintf("irefresh-type=2:scd=0:lp=%d", threads))
	},
}
