package encode

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/job"
	"helios/shared/stitch/mp4"
	"helios/shared/store"
	"helios/shared/tempfile"
)

// Finish makes the output of a format that is made from all frames at once, for which [job.Format.Video] is
// false. The file stitched holds the frames, as mp4.Write leaves them. The file out is replaced;
// for a folder, see [IsFolder], out must pass [CheckFolder] and appears when it is whole.
//
// Neither memory nor disk grow with the number of frames, but for WebP: its encoder keeps the output in memory
// until it is done. When ctx ends so does ffmpeg, and the error is its cause.
func Finish(ctx context.Context, c job.Config, stitched, out string) error {
	if err := Check(c); err != nil {
		return err
	}
	ffmpeg, err := ffmpeg.Find()
	if err != nil {
		return err
	}
	f := &finisher{c, ffmpeg, stitched}
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
		return fmt.Errorf("%s has nothing to be finished", c.Format)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// IsFolder reports whether the output is a folder of pictures, and not a file.
func IsFolder(c job.Config) bool {
	return (c.Format == job.PNG || c.Format == job.JPEG) && !strings.EqualFold(path.Ext(c.Output), ".zip")
}

// finisher makes the output of one video.
type finisher struct {
	job.Config
	ffmpeg   string
	stitched string
}

// args begins a command line that reads the video from a pipe, so that ffmpeg ends with this process.
func (f *finisher) args(more ...string) []string {
	args := append(always[:len(always):len(always)], "-f", "mov", "-i", "pipe:0")
	return append(args, more...)
}

// run has ffmpeg read the video and write the file out or to stdout, which is closed when it has ended.
func (f *finisher) run(ctx context.Context, args []string, out string, stdout *os.File) error {
	var w io.Writer
	if stdout != nil {
		defer stdout.Close()
		w = stdout
	}
	video, err := os.Open(f.stitched)
	if err != nil {
		return fmt.Errorf("reading the frames: %w", err)
	}
	defer video.Close()
	e, err := run(ctx, f.ffmpeg, args, out, w)
	if err != nil {
		return err
	}
	_, copying := io.Copy(e.frames, video)
	return e.finish(copying)
}

// gif makes two passes: the palette is that of the whole video.
func (f *finisher) gif(ctx context.Context, out string) error {
	info, err := mp4.Probe(ctx, store.Dir(""), f.stitched)
	if err != nil {
		return fmt.Errorf("reading the frames: %w", err)
	}
	dir, err := tempfile.MkdirTemp("")
	if err != nil {
		return fault.Userf("writing the palette: %w", err)
	}
	defer dir.Remove()
	palette := filepath.Join(dir.Path(), "palette.png")
	// One colour is for what stays as it was in the frame before.
	pass := f.args("-vf", "palettegen=stats_mode=full:reserve_transparent=1", "-frames:v", "1", "-f", "image2", "-update", "1", "file:"+palette)
	if err := f.run(ctx, pass, palette, nil); err != nil {
		return fmt.Errorf("making the palette: %w", err)
	}
	repeats := f.Loop - 1
	switch f.Loop {
	case 0:
		repeats = 0 // for ever
	case 1:
		repeats = -1 // none
	}
	pass = f.args("-i", "file:"+palette, "-lavfi", "[0:v][1:v]paletteuse=dither=sierra2_4a:diff_mode=rectangle:alpha_threshold=128", "-c:v", "gif")
	pass = append(append(pass, exact...), "-loop", strconv.Itoa(repeats),
		"-final_delay", strconv.FormatInt(centiseconds(info.Frames, f.FPS)-centiseconds(info.Frames-1, f.FPS), 10),
		"-f", "gif", "file:"+out)
	return f.run(ctx, pass, out, nil)
}

// centiseconds returns the time of frame n in 1/100 s, rounded half up, as ffmpeg does.
func centiseconds(n int64, fps job.Rate) int64 {
	t := fps.At(n)
	t.Mul(t, big.NewRat(100, 1))
	t.Add(t, big.NewRat(1, 2))
	return new(big.Int).Div(t.Num(), t.Denom()).Int64()
}

// lossless is the quality from which WebP loses nothing.
const lossless = 100

func (f *finisher) webp(ctx context.Context, out string) error {
	args := f.args("-vf", "format=bgra", "-c:v", "libwebp_anim", "-quality", strconv.Itoa(*f.Quality))
	if *f.Quality >= lossless {
		args = append(args, "-lossless", "1")
	}
	args = append(append(args, exact...), "-loop", strconv.Itoa(f.Loop), "-f", "webp", "file:"+out)
	return f.run(ctx, args, out, nil)
}

func (f *finisher) apng(ctx context.Context, out string) error {
	args := append(f.args("-c:v", "apng", "-pred", "mixed"), exact...)
	args = append(args, "-plays", strconv.Itoa(f.Loop),
		"-final_delay", fmt.Sprintf("%d/%d", f.FPS.Den, f.FPS.Num), "-f", "apng", "file:"+out)
	return f.run(ctx, args, out, nil)
}
