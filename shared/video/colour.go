package video

import (
	"fmt"
	"regexp"
	"strings"
)

var planar = regexp.MustCompile(`^yuv4(20|22|44)p(10le|12le)?$`)

// filter is what ffmpeg does to a picture so that a browser shows its colours: a JPEG has those of BT.601 in their
// full range. It costs Chromium half of what any lossless picture does, and at its best quality, with no more
// colour dropped than the video itself dropped, nobody sees the difference. A picture with alpha cannot be a JPEG.
func (i *Info) filter() string {
	size := fmt.Sprintf("scale=%d:%d", i.Width, i.Height)
	if i.Alpha {
		return size + ":in_color_matrix=" + i.matrix + ":out_range=full,format=bgra"
	}
	pixels := "420p"
	if strings.Contains(i.pixels, "444") {
		pixels = "444p"
	}
	old := i.matrix == "bt601" || i.matrix == "bt470bg" || i.matrix == "smpte170m"
	switch {
	case !planar.MatchString(i.pixels):
		return size + ":in_color_matrix=" + i.matrix + ":out_color_matrix=bt601:out_range=full,format=yuvj444p"
	case old:
		return size + ":out_range=full,format=yuvj" + pixels
	default:
		space, levels := i.matrix, "tv"
		if space == "bt2020" {
			space = "bt2020ncl"
		}
		if i.full {
			levels = "pc"
		}
		// One pass over the planes, where scale would go by way of RGB.
		return fmt.Sprintf("%s,colorspace=ispace=%s:iprimaries=bt709:itrc=bt709:irange=%s:space=bt470bg:primaries=bt709:trc=bt709:range=pc:format=yuv%s,format=yuvj%s",
			size, space, levels, pixels, pixels)
	}
}
