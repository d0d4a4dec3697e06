package encode

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/job"
	"helios/shared/stitch/mp4"
	"helios/shared/store"
	"helios/shared/tempfile"
)

// Finish encodes an output whose format needs all frames at once: GIF, WebP, APNG and image sequences. The file joined
// contains the frames in one MOV file from mp4.Write. Finish replaces the file out. If out is a folder, see [IsFolder],
// it must pass [CheckFolder], and it appears when it is complete.
//
// Memory and disk use do not grow with the number of frames, except for WebP: its encoder keeps the output in memory.
// When ctx ends, ffmpeg is killed and Finish returns the cause.
func Finish(ctx context.Context, c job.Config, joined, out string) error {
	if err := Check(c); err != nil {
		return err
	}
	path, err := ffmpeg.Find()
	if err != nil {
		return err
	}
	f := &finisher{c, path, joined}
	switch c.Format {
	case job.GIF:
		err = f.gif(ctx, out)
	case job.WebP:
		err = f.webp(ctx, out)
	case job.APNG:
		err = f.apng(ctx, out)
	case job.PNG, job.JPEG:
		if IsFolder(c) {
			err = f.folder(ctx, out)
		} else {
			err = f.zip(ctx, out)
		}
	default:
		return fmt.Errorf("%s does not need to be finished", c.Format)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// IsFolder reports whether the output is a folder of images instead of a file.
func IsFolder(c job.Config) bool {
	return (c.Format == job.PNG || c.Format == job.JPEG) && !strings.EqualFold(path.Ext(c.Output), ".zip")
}

// finisher encodes the output from the joined frames.
type finisher struct {
	job.Config
	ffmpeg string // the path of the program
	joined string
}

// args starts a command line. The video comes through a pipe, so ffmpeg exits when this process is killed.
func (f *finisher) args(more ...string) []string {
	return slices.Concat(commonArgs, []string{"-f", "mov", "-i", "pipe:0"}, more)
}

// run runs ffmpeg, which writes to stdout, or to the file out if stdout is nil. It closes stdout.
func (f *finisher) run(ctx context.Context, args []string, out string, stdout *os.File) error {
	var w io.Writer
	if stdout != nil {
		defer stdout.Close()
		w = stdout
	}
	video, err := os.Open(f.joined)
	if err != nil {
		return fmt.Errorf("reading the frames: %w", err)
	}
	defer video.Close()
	e, err := run(ctx, f.ffmpeg, args, out, w)
	if err != nil {
		return err
	}
	_, copyErr := io.Copy(e.pipe, video)
	return e.finish(copyErr)
}

// gif encodes in two passes, because the palette depends on all frames.
func (f *finisher) gif(ctx context.Context, out string) error {
	info, err := mp4.Probe(ctx, store.Dir(""), f.joined)
	if err != nil {
		return fmt.Errorf("reading the frames: %w", err)
	}
	dir, err := tempfile.MkdirTemp("")
	if err != nil {
		return fault.Userf("writing the palette: %w", err)
	}
	defer dir.Remove()
	palette := filepath.Join(dir.Path(), "palette.png")
	// The transparent colour is for pixels that do not change.
	pass := f.args("-vf", "palettegen=stats_mode=full:reserve_transparent=1",
		"-frames:v", "1", "-f", "image2", "-update", "1", "file:"+palette)
	if err := f.run(ctx, pass, palette, nil); err != nil {
		return fmt.Errorf("creating the palette: %w", err)
	}
	// In ffmpeg, 0 repeats without end and -1 plays once. In a config, Loop is the number of plays, and 0 is without end.
	repeats := f.Loop - 1
	switch f.Loop {
	case 0:
		repeats = 0
	case 1:
		repeats = -1
	}
	lastDelay := centiseconds(info.Frames, f.FPS) - centiseconds(info.Frames-1, f.FPS)
	pass = f.args("-i", "file:"+palette,
		"-lavfi", "[0:v][1:v]paletteuse=dither=sierra2_4a:diff_mode=rectangle:alpha_threshold=128", "-c:v", "gif")
	pass = append(append(pass, exactArgs...), "-loop", strconv.Itoa(repeats),
		"-final_delay", strconv.FormatInt(lastDelay, 10), "-f", "gif", "file:"+out)
	return f.run(ctx, pass, out, nil)
}

// centiseconds returns the time of frame n in 1/100 s, rounded half up, as ffmpeg rounds it.
func centiseconds(n int64, fps job.Rate) int64 {
	t := fps.At(n)
	t.Mul(t, big.NewRat(100, 1))
	t.Add(t, big.NewRat(1, 2))
	return new(big.Int).Div(t.Num(), t.Denom()).Int64()
}

// losslessWebP is the quality at which WebP is lossless.
const losslessWebP = 100

func (f *finisher) webp(ctx context.Context, out string) error {
	args := f.args("-vf", "format=bgra", "-c:v", "libwebp_anim", "-quality", strconv.Itoa(*f.Quality))
	if *f.Quality >= losslessWebP {
		args = append(args, "-lossless", "1")
	}
	args = append(append(args, exactArgs...), "-loop", strconv.Itoa(f.Loop), "-f", "webp", "file:"+out)
	return f.run(ctx, args, out, nil)
}

func (f *finisher) apng(ctx context.Context, out string) error {
	args := append(f.args("-c:v", "apng", "-pred", "mixed"), exactArgs...)
	args = append(args, "-plays", strconv.Itoa(f.Loop),
		"-final_delay", fmt.Sprintf("%d/%d", f.FPS.Den, f.FPS.Num), "-f", "apng", "file:"+out)
	return f.run(ctx, args, out, nil)
}
