package job

import (
	"path"
	"strings"
)

// Format is a kind of output.
type Format string

// The formats. Those of pictures one by one make a folder, or a ZIP archive, of files named frame-00000 and so
// on.
const (
	MP4  Format = "mp4"
	MOV  Format = "mov"
	WebM Format = "webm"

	GIF  Format = "gif"
	WebP Format = "webp" // animated
	APNG Format = "apng" // animated

	PNG  Format = "png"
	JPEG Format = "jpeg"
)

// FormatOf returns the format that the name of an output stands for, and "" if it stands for none.
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

// Video reports whether the chunks of a format are of that format themselves. The others are made from all
// frames at once, when the chunks are merged.
func (f Format) Video() bool { return f == MP4 || f == MOV || f == WebM }
