package video

import (
	"fmt"
	"regexp"
	"strings"
)

// colorspaceFormats matches the pixel formats that ffmpeg's colorspace filter accepts.
var colorspaceFormats = regexp.MustCompile(`^yuv4(20|22|44)p(10le|12le)?$`)

// filter returns the ffmpeg filter that scales and converts frames for a browser. Without alpha, frames become JPEG,
// whose colours are full-range BT.601. Chromium decodes JPEG in half the time of any lossless format. The loss is
// invisible at the best quality and with the chroma subsampling of the video. With alpha, which JPEG does not support,
// frames become BGRA.
func (i *Info) filter() string {
	scale := fmt.Sprintf("scale=%d:%d", i.Width, i.Height)
	if i.Alpha {
		return scale + ":in_color_matrix=" + i.matrix + ":out_range=full,format=bgra"
	}
	format := "420p"
	if strings.Contains(i.pixelFormat, "444") {
		format = "444p"
	}
	isBT601 := i.matrix == "bt601" || i.matrix == "bt470bg" || i.matrix == "smpte170m"
	switch {
	case !colorspaceFormats.MatchString(i.pixelFormat):
		return scale + ":in_color_matrix=" + i.matrix + ":out_color_matrix=bt601:out_range=full,format=yuvj444p"
	case isBT601:
		return scale + ":out_range=full,format=yuvj" + format
	default:
		space, colorRange := i.matrix, "tv"
		if space == "bt2020" {
			space = "bt2020ncl"
		}
		if i.fullRange {
			colorRange = "pc"
		}
		// The colorspace filter converts between YUV spaces directly. The scale filter would convert through RGB.
		return fmt.Sprintf("%s,colorspace=ispace=%s:iprimaries=bt709:itrc=bt709:irange=%s:"+
			"space=bt470bg:primaries=bt709:trc=bt709:range=pc:format=yuv%s,format=yuvj%s",
			scale, space, colorRange, format, format)
	}
}
