package plan

import (
	"time"

	"helios/shared/job"
)

// Defaults of the page size, in CSS pixels.
const (
	DefaultWidth  = 1920
	DefaultHeight = 1080
)

// DefaultFPS is the default frame rate.
var DefaultFPS = job.Rate{Num: 30, Den: 1}

// DefaultTimeout is the default timeout.
var DefaultTimeout = job.SecondsOf(30 * time.Second)

// withDefaults returns the settings with defaults for those that are left out.
func withDefaults(c job.Config) job.Config {
	setDefault(&c.Output, "output.mp4")
	setDefault(&c.Format, job.FormatOf(c.Output))
	setDefault(&c.Scale, 1)
	setDefault(&c.Width, DefaultWidth)
	setDefault(&c.Height, DefaultHeight)
	setDefault(&c.FPS, DefaultFPS)
	video, audio := defaultCodecs(c.Format)
	setDefault(&c.VideoCodec, video)
	setDefault(&c.AudioCodec, audio)
	preset, quality := defaultPreset(c.VideoCodec)
	setDefault(&c.Preset, preset)
	setDefault(&c.Quality, &quality)
	setDefault(&c.Timeout, DefaultTimeout)
	if c.SeekMode.IsAuto() {
		c.SeekMode = job.SeekReplay
	}
	if c.Capture.IsAuto() {
		c.Capture = c.BestCapture()
	}
	return c
}

func setDefault[T comparable](setting *T, value T) {
	var zero T
	if *setting == zero {
		*setting = value
	}
}

// defaultCodecs returns the default encoders of a format.
func defaultCodecs(f job.Format) (video, audio string) {
	switch f {
	case job.MOV:
		return "prores_ks", "pcm_s16le"
	case job.WebM:
		return "libvpx-vp9", "libopus"
	case job.GIF:
		return "gif", "aac"
	case job.WebP:
		return "libwebp_anim", "aac"
	case job.APNG:
		return "apng", "aac"
	case job.PNG:
		return "png", "aac"
	case job.JPEG:
		return "mjpeg", "aac"
	}
	return "libx264", "aac"
}

// defaultPreset returns the default preset and quality of a video encoder.
func defaultPreset(videoCodec string) (preset string, quality int) {
	switch videoCodec {
	case "libx265":
		return "superfast", 16
	case "libsvtav1":
		return "9", 27
	case "libvpx-vp9":
		return "6", 22
	case "prores_ks":
		return "hq", 0
	case "libwebp_anim":
		return "default", 80
	case "mjpeg":
		return "default", 90
	case "gif", "apng", "png":
		return "default", 0
	}
	return "veryfast", 16
}
