// Package encode encodes frames with ffmpeg.
//
// # Chunks
//
// An [Encoder] encodes the frames of one partition to a chunk. Frames go to ffmpeg through a pipe, so it encodes one
// frame while Chromium draws the next.
//
// Chunks can be joined without encoding them again, because the settings of all chunks of a job are the same: closed
// GOPs, key frames only at fixed distances, a constant frame duration. The same frames give the same bytes on every
// machine. So the number of threads is fixed, and the files contain neither dates nor versions of ffmpeg's libraries.
//
// # Formats that need all frames
//
// GIF, WebP, APNG and image sequences cannot be joined from chunks. Their chunks contain PNG frames, and [Finish]
// encodes the output from all of them. [Still] encodes a single image.
//
// # Settings
//
// [Check] rejects settings that the codec or the format does not support. [Codecs], [CodecsOf], [AudioCodecsOf],
// [Presets] and [PresetsOf] list the supported settings.
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

// Encoder is a running ffmpeg. The caller must call Close or Abort.
type Encoder struct {
	process *process.Process
	pipe    io.WriteCloser
	ivf     *ivfWriter // nil if the input is not IVF
	out     string
	stop    func() bool // cancels context.AfterFunc
}

// Start starts ffmpeg, which encodes to the file out and replaces it. The file contains the comment. When ctx ends,
// ffmpeg is killed.
func Start(ctx context.Context, c job.Config, comment, out string) (*Encoder, error) {
	e, err := start(ctx, command{
		config: c, input: ivfInput(c), colours: colourFilter(c), times: fillGaps(c), comment: comment, out: out,
	})
	if err != nil {
		return nil, err
	}
	e.ivf = newIVFWriter(e.pipe, c)
	return e, nil
}

// start starts an ffmpeg that reads from a pipe. When this process is killed, the pipe closes and ffmpeg exits.
func start(ctx context.Context, c command) (*Encoder, error) {
	if err := Check(c.config); err != nil {
		return nil, err
	}
	path, err := ffmpeg.Find()
	if err != nil {
		return nil, err
	}
	return run(ctx, path, c.args(), c.out, nil)
}

// run starts an ffmpeg that writes to stdout, or to the file out if stdout is nil.
func run(ctx context.Context, path string, args []string, out string, stdout io.Writer) (*Encoder, error) {
	cmd := exec.Command(path, args...)
	cmd.Stdout = stdout
	// Without this, SVT-AV1 prints messages even if ffmpeg is quiet.
	cmd.Env = []string{"SVT_LOG=1"}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("creating a pipe to ffmpeg: %w", err)
	}
	p, err := process.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return &Encoder{process: p, pipe: pipe, out: out, stop: context.AfterFunc(ctx, p.Kill)}, nil
}

// WriteFrame writes the next frame: I420 in stream mode, PNG in screenshot mode. It blocks while ffmpeg is busy.
func (e *Encoder) WriteFrame(frame []byte) error {
	if err := e.ivf.write(frame); err != nil {
		return e.finish(err)
	}
	return nil
}

// RepeatFrame repeats the previous frame. The first and the last frame of a chunk must be written.
func (e *Encoder) RepeatFrame() { e.ivf.repeat() }

// Close ends the chunk and waits for ffmpeg. The error is transient if ffmpeg was killed.
func (e *Encoder) Close() error { return e.finish(nil) }

// Abort kills ffmpeg. The output is incomplete, and the caller removes it.
func (e *Encoder) Abort() {
	e.stop()
	e.process.Kill()
	e.pipe.Close()
}

// finish closes the pipe, waits for ffmpeg and returns its error. writeErr is the error of writing to the pipe.
func (e *Encoder) finish(writeErr error) error {
	e.pipe.Close()
	err := e.process.Wait()
	e.stop()
	switch {
	case err == nil && writeErr == nil:
		return nil
	case e.process.Killed():
		return fault.Transientf("ffmpeg was killed")
	case e.process.LastLine() != "":
		if err := ffmpeg.WriteError(e.out); err != nil {
			return err
		}
		return fmt.Errorf("ffmpeg: %s", ffmpeg.Message(e.process.LastLine()))
	default:
		return fmt.Errorf("ffmpeg: %w", errors.Join(writeErr, err))
	}
}

// Transcode encodes the frames of an MP4 again, with the encoder settings of c. The moov box must precede the samples.
// The size and the frame rate do not change.
func Transcode(ctx context.Context, c job.Config, video io.Reader, out string) error {
	e, err := start(ctx, command{config: c, input: []string{"-f", "mp4", "-i", "pipe:0"}, out: out})
	if err != nil {
		return err
	}
	_, copyErr := io.Copy(e.pipe, video)
	err = e.finish(copyErr)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
