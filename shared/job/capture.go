package job

import "slices"

// Capture is a mode of capturing frames. The output format decides which one fits, so no page has to be analysed.
type Capture string

const (
	// CaptureStream takes the raw frames that Chromium's compositor displays, in YUV 4:2:0 with 8 bits.
	CaptureStream Capture = "stream"
	// CaptureScreenshot takes a PNG of each frame. It fits every output.
	CaptureScreenshot Capture = "screenshot"
	// CaptureAuto leaves the mode to the planner. A config never contains it.
	CaptureAuto Capture = "auto"
)

// subsampled are the encoders that halve the resolution of colour in both directions.
var subsampled = []string{"libx264", "libx265", "libsvtav1", "libvpx-vp9"}

// BestCapture returns stream if its frames are what the encoder needs: opaque, 4:2:0, 8 bits, even width and height.
// Otherwise it returns screenshot.
func (c *Config) BestCapture() Capture {
	width, height := c.Pixels()
	if slices.Contains(subsampled, c.VideoCodec) && !c.Transparent && (c.BitDepth == 0 || c.BitDepth == 8) && width%2 == 0 && height%2 == 0 {
		return CaptureStream
	}
	return CaptureScreenshot
}
