package job

import (
	"path"
	"strings"
)

// Format is a file format.
type Format string

// Video formats.
const (
	MP4  Format = "mp4"
	MOV  Format = "mov"
	WebM Format = "webm"
)

// Formats of animated images.
const (
	GIF  Format = "gif"
	WebP Format = "webp"
	APNG Format = "apng"
)

// Formats of image sequences. The output is a folder or a ZIP archive of files named frame-00000 and so on.
const (
	PNG  Format = "png"
	JPEG Format = "jpeg"
)

// FormatOf returns the format for the suffix of an output, or "" if the suffix is not supported.
func FormatOf(output string) Format {
	if strings.HasSuffix(output, "/") {
		return PNG
	}
	switch ext := strings.ToLower(path.Ext(output)); ext {
	case ".mp4", ".mov", ".webm", ".gif", ".webp", ".apng":
		return Format(ext[1:])
	case ".zip":
		return PNG
	}
	return ""
}

// Suffix returns the suffix of a file in the format: ".zip" for image sequences.
func (f Format) Suffix() string {
	if f == PNG || f == JPEG {
		return ".zip"
	}
	return "." + string(f)
}

// Video reports whether f is a video format. Then chunks have the same format as the output. Other formats are encoded
// by merge, because their encoders need all frames.
func (f Format) Video() bool { return f == MP4 || f == MOV || f == WebM }
