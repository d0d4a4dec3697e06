package encode

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
)

// Stills are the suffixes of the formats that [Still] writes.
var Stills = []string{".png", ".jpg", ".jpeg", ".webp"}

// Still encodes a PNG to the file out, in the format of a suffix from [Stills]. The quality, for JPEG and WebP, is from
// 0 to 100, the best.
func Still(ctx context.Context, png []byte, suffix string, quality int, out string) error {
	args := []string{"-y", "-f", "image2pipe", "-c:v", "png", "-i", "pipe:0", "-frames:v", "1"}
	switch strings.ToLower(suffix) {
	case ".png":
		args = append(args, "-c:v", "png", "-f", "image2pipe")
	case ".jpg", ".jpeg":
		args = append(append(args, jpegArgs(quality)...), "-f", "image2pipe")
	case ".webp":
		args = append(args, "-c:v", "libwebp", "-quality", strconv.Itoa(quality), "-f", "webp")
	default:
		return fault.Userf("%q is not supported; use %s", suffix, strings.Join(Stills, ", "))
	}
	cmd, err := ffmpeg.Command(append(args, "-fflags", "+bitexact", "-flags:v", "+bitexact", "file:"+out)...)
	if err != nil {
		return err
	}
	cmd.Stdin = bytes.NewReader(png)
	if err := ffmpeg.Run(ctx, cmd); err != nil {
		if writeErr := ffmpeg.WriteError(out); writeErr != nil && ctx.Err() == nil {
			return writeErr
		}
		return err
	}
	return nil
}
