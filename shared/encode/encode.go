// Package encode turns frames into a chunk, through ffmpeg. Frames go in by a pipe, so that the next one is
// drawn while this one is encoded.
package encode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"

	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/process"
)

// Encoder is a running ffmpeg. One of Close and Abort ends it.
type Encoder struct {
	process *process.Process
	frames  io.WriteCloser
	stop    func() bool // takes back what ctx does when it ends
}

// Start starts encoding to the file out, which is replaced. The comment is written into it. When ctx ends
// ffmpeg is killed.
func Start(ctx context.Context, c job.Config, comment, out string) (*Encoder, error) {
	if err := Check(c); err != nil {
		return nil, err
	}
	path, err := Find()
	if err != nil {
		return nil, err
	}
	in := []string{"-f", "image2pipe", "-framerate", c.FPS.String(), "-c:v", "png", "-i", "pipe:0"}
	cmd := exec.Command(path, arguments(c, in, fromRGB, comment, out)...)
	frames, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe to ffmpeg: %w", err)
	}
	p, err := process.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return &Encoder{process: p, frames: frames, stop: context.AfterFunc(ctx, p.Kill)}, nil
}

// WriteFrame hands over one picture, a PNG. It waits while ffmpeg has enough to do.
func (e *Encoder) WriteFrame(png []byte) error {
	if _, err := e.frames.Write(png); err != nil {
		return e.finish(err)
	}
	return nil
}

// Close ends the chunk and waits for ffmpeg. The error is a fault.Transient when ffmpeg was killed.
func (e *Encoder) Close() error { return e.finish(nil) }

// Abort kills ffmpeg. What it wrote is of no use.
func (e *Encoder) Abort() {
	e.stop()
	e.process.Kill()
	e.frames.Close()
}

// finish closes the pipe and tells how ffmpeg ended; writing is the error that the pipe gave before.
func (e *Encoder) finish(writing error) error {
	e.frames.Close()
	err := e.process.Err()
	e.stop()
	switch {
	case err == nil && writing == nil:
		return nil
	case e.process.LastLine() != "":
		return classify(fmt.Errorf("ffmpeg: %s", strings.TrimPrefix(e.process.LastLine(), "file:")))
	case e.process.Killed():
		return fault.Transientf("ffmpeg was killed")
	default:
		return fmt.Errorf("ffmpeg: %w", errors.Join(writing, err))
	}
}

// classify marks an error as the user's fault when the message of ffmpeg is about the user's disk.
func classify(err error) error {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EACCES, syscall.EROFS, syscall.EDQUOT} {
		if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(errno.Error())) {
			return fault.As(fault.User, err)
		}
	}
	return err
}

// Transcode encodes the pictures of a video anew. Its size and rate stay; of c only the encoder's settings
// count.
func Transcode(ctx context.Context, c job.Config, from, out string) error {
	if err := Check(c); err != nil {
		return err
	}
	path, err := Find()
	if err != nil {
		return err
	}
	p, err := process.Start(exec.Command(path, arguments(c, []string{"-i", "file:" + from}, "", "", out)...))
	if err != nil {
		return fmt.Errorf("starting %s: %w", path, err)
	}
	e := &Encoder{process: p, frames: nopWriter{}, stop: context.AfterFunc(ctx, p.Kill)}
	if err := e.Close(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	return nil
}

type nopWriter struct{}

func (nopWriter) Write(b []byte) (int, error) { return len(b), nil }
func (nopWriter) Close() error                { return nil }
