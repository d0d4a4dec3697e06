// Package encode turns frames into a chunk, through ffmpeg. Frames go in by a pipe, so that the next one is
// drawn while this one is encoded.
package encode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/job"
	"helios/shared/process"
)

// Encoder is a running ffmpeg. One of Close and Abort ends it.
type Encoder struct {
	process *process.Process
	frames  io.WriteCloser
	ivf     *ivfWriter // nil where no frames are written
	out     string
	stop    func() bool // takes back what ctx does when it ends
}

// Start starts encoding to the file out, which is replaced. The comment is written into it. When ctx ends
// ffmpeg is killed.
func Start(ctx context.Context, c job.Config, comment, out string) (*Encoder, error) {
	e, err := start(ctx, c, ivfInput(c), colours(c), fillGaps(c), comment, out)
	if err != nil {
		return nil, err
	}
	e.ivf = newIVFWriter(e.frames, c)
	return e, nil
}

// start starts an ffmpeg that reads from a pipe. The pipe ends with this process, and ffmpeg with the pipe,
// so that not even a killed helios leaves one behind.
func start(ctx context.Context, c job.Config, in []string, colours, times, comment, out string) (*Encoder, error) {
	if err := Check(c); err != nil {
		return nil, err
	}
	path, err := ffmpeg.Find()
	if err != nil {
		return nil, err
	}
	return run(ctx, path, arguments(c, in, colours, times, comment, out), out, nil)
}

// run starts an ffmpeg with arguments. It writes to the file out or, if that is not nil, to stdout.
func run(ctx context.Context, path string, args []string, out string, stdout io.Writer) (*Encoder, error) {
	cmd := exec.Command(path, args...)
	cmd.Stdout = stdout
	// SVT-AV1 talks even when ffmpeg does not.
	cmd.Env = []string{"SVT_LOG=1"}
	frames, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe to ffmpeg: %w", err)
	}
	p, err := process.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return &Encoder{process: p, frames: frames, out: out, stop: context.AfterFunc(ctx, p.Kill)}, nil
}

// WriteFrame hands over the next frame: I420 in stream mode, PNG otherwise. It waits while ffmpeg has enough to do.
func (e *Encoder) WriteFrame(picture []byte) error {
	if err := e.ivf.write(picture); err != nil {
		return e.finish(err)
	}
	return nil
}

// RepeatFrame says that the next frame is as the one before it. The first frame of a chunk, and the last, have to be
// written.
func (e *Encoder) RepeatFrame() { e.ivf.repeat() }

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
	err := e.process.Wait()
	e.stop()
	switch {
	case err == nil && writing == nil:
		return nil
	case e.process.Killed():
		return fault.Transientf("ffmpeg was killed")
	case e.process.LastLine() != "":
		if err := ffmpeg.WriteError(e.out); err != nil {
			return err
		}
		return fmt.Errorf("ffmpeg: %s", ffmpeg.Message(e.process.LastLine()))
	default:
		return fmt.Errorf("ffmpeg: %w", errors.Join(writing, err))
	}
}

// Transcode encodes the pictures of a video anew; its moov must come first. Size and rate stay; of c only the
// encoder's settings count.
func Transcode(ctx context.Context, c job.Config, video io.Reader, out string) error {
	e, err := start(ctx, c, []string{"-f", "mp4", "-i", "pipe:0"}, "", "", "", out)
	if err != nil {
		return err
	}
	_, copying := io.Copy(e.frames, video)
	err = e.finish(copying)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
