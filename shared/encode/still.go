package encode

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
)

// Stills are the suffixes of the kinds of file that [Still] writes.
var Stills = []string{".png", ".jpg", ".jpeg", ".webp"}

// Still writes one picture, a PNG, into the file out in the kind that suffix, one of [Stills], stands for.
// The quality is from 0 to 100, the best; PNG has none.
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
		return fault.Userf("%q is no kind of picture that can be written; use one of %s", suffix, strings.Join(Stills, ", "))
	}
	cmd, err := ffmpeg.Command(append(args, "-fflags", "+bitexact", "-flags:v", "+bitexact", "file:"+out)...)
	if err != nil {
		return err
	}
	cmd.Stdin = bytes.NewReader(png)
	if err := ffmpeg.Run(ctx, cmd); err != nil {
		if full := ffmpeg.WriteError(out); full != nil && ctx.Err() == nil {
			return full
		}
		return err
	}
	return nil
}
