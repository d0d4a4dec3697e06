package encode

import (
	"fmt"

	"helios/shared/job"
)

// input says in what form the pictures come: PNG from the reference way, and from the others the bytes blue,
// green, red and alpha of each pixel.
func input(c job.Config) []string {
	if c.Capture == "" || c.Capture == job.CaptureReference {
		return []string{"-f", "image2pipe", "-framerate", c.FPS.String(), "-c:v", "png", "-i", "pipe:0"}
	}
	width, height := c.Pixels()
	return []string{"-f", "rawvideo", "-pix_fmt", "bgra", "-video_size", fmt.Sprintf("%dx%d", width, height), "-framerate", c.FPS.String(), "-i", "pipe:0"}
}
