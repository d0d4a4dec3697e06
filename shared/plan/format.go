package plan

import (
	"strings"

	"helios/shared/job"
)

// DefaultCodecs returns the encoders of pictures and of sound that a format has when nobody says otherwise.
func DefaultCodecs(f job.Format) (video, sound string) {
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

// DefaultSettings returns the preset and the quality that an encoder of pictures has when nobody says
// otherwise.
func DefaultSettings(videoCodec string) (preset string, quality int) {
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

// AudioSuffix returns the suffix of a file that holds sound from an encoder so that it can be merged into a format.
func AudioSuffix(f job.Format, audioCodec string) string {
	switch {
	case f == job.WebM:
		return ".webm"
	case audioCodec == "aac":
		return ".m4a"
	case strings.HasPrefix(audioCodec, "pcm_"):
		return ".mov"
	}
	return ".mp4"
}
