package video

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/process"
)

// decoder is an ffmpeg process that decodes the frames of a file, starting at one of them.
type decoder struct {
	process *process.Process
	info    *Info
	stop    context.CancelFunc
	frames  chan frame  // closed after the last frame
	free    chan []byte // buffers to reuse
	current *frame      // the last frame that was not later than the requested time
	next    *frame      // the frame after current, if it was received
	err     error       // why there are no more frames; set before frames is closed
}

type frame struct {
	time  float64 // as in Info.Times
	image []byte
}

// startDecoder starts an ffmpeg that decodes the frames from frame i.
func startDecoder(path string, info *Info, i int) (*decoder, error) {
	program, err := ffmpeg.Find()
	if err != nil {
		return nil, err
	}
	images, imagesW, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("creating a pipe to ffmpeg: %w", err)
	}
	times, timesW, err := os.Pipe()
	if err != nil {
		images.Close()
		imagesW.Close()
		return nil, fmt.Errorf("creating a pipe to ffmpeg: %w", err)
	}
	cmd := exec.Command(program, decoderArgs(path, info, i)...)
	cmd.Stdout, cmd.ExtraFiles = imagesW, []*os.File{timesW}
	p, err := process.Start(cmd)
	imagesW.Close()
	timesW.Close()
	if err != nil {
		images.Close()
		times.Close()
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	d := &decoder{process: p, info: info, stop: stop, frames: make(chan frame), free: make(chan []byte, 4)}
	go d.run(ctx, images, times)
	return d, nil
}

// decoderArgs returns the arguments of ffmpeg, which writes the images to standard output and their times to descriptor
// 3.
func decoderArgs(path string, info *Info, i int) []string {
	args := append([]string{"-nostdin", "-v", "error", "-threads", "1", "-filter_threads", "1"}, safeInput...)
	if info.decoder != "" {
		args = append(args, "-c:v", info.decoder)
	}
	if i > 0 {
		// -ss discards exactly the frames before a time. The time is relative to the start of the file.
		between := (info.Times[i-1] + info.Times[i]) / 2
		args = append(args, "-ss", strconv.FormatFloat(between+info.zero-info.start, 'f', 6, 64))
	}
	args = append(args, "-copyts", "-i", "file:"+path, "-map", "0:v:0", "-fps_mode", "passthrough",
		"-vf", info.filter()+",metadata=add:key=helios:value=0,metadata=print:file='pipe\\:3':direct=1")
	if info.Alpha {
		return append(args, "-f", "rawvideo", "pipe:1")
	}
	return append(args, "-c:v", "mjpeg", "-huffman", "default", "-qmin", "1", "-q:v", "1", "-f", "mpjpeg", "pipe:1")
}

// run sends the frames to d.frames until ffmpeg ends or ctx is cancelled.
func (d *decoder) run(ctx context.Context, images, times *os.File) {
	defer close(d.frames)
	defer images.Close()
	defer times.Close()
	in, lines := bufio.NewReaderSize(images, 64<<10), bufio.NewScanner(times)
	for {
		f, err := d.readFrame(in, lines)
		if err != nil {
			d.err = err
			return
		}
		select {
		case d.frames <- f:
		case <-ctx.Done():
			return
		}
	}
}

func (d *decoder) readFrame(images *bufio.Reader, times *bufio.Scanner) (f frame, err error) {
	select {
	case f.image = <-d.free:
	default:
	}
	if d.info.Alpha {
		f.image, err = d.readBMP(images, f.image)
	} else {
		f.image, err = readJPEG(images, f.image)
	}
	if err != nil {
		return f, err
	}
	for times.Scan() {
		_, text, ok := strings.Cut(times.Text(), "pts_time:")
		if !ok {
			continue
		}
		f.time, err = strconv.ParseFloat(strings.TrimSpace(text), 64)
		f.time -= d.info.zero
		return f, err
	}
	return f, errors.Join(io.ErrUnexpectedEOF, times.Err())
}

// readBMP reads the pixels of one frame into a BMP file. It reuses image unless that is nil.
func (d *decoder) readBMP(r io.Reader, image []byte) ([]byte, error) {
	if image == nil {
		image = newBMP(d.info.Width, d.info.Height)
	}
	_, err := io.ReadFull(r, image[bmpHeaderSize:])
	return image, err
}

// readJPEG reads the next part of an mpjpeg stream: headers, an empty line and a JPEG file. It reuses the memory of
// image.
func readJPEG(r *bufio.Reader, image []byte) ([]byte, error) {
	size := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(strings.ToLower(line), "content-length:"); ok {
			if size, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
				return nil, err
			}
		}
		if line == "" && size > 0 {
			break
		}
	}
	image = slices.Grow(image[:0], size)[:size]
	_, err := io.ReadFull(r, image)
	return image, err
}

// frameAt returns the frame that is displayed at time t, or nil if the first decoded frame is later.
func (d *decoder) frameAt(ctx context.Context, t float64) ([]byte, error) {
	for {
		if d.next == nil {
			select {
			case f, ok := <-d.frames:
				if !ok {
					return d.lastFrame()
				}
				d.next = &f
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		if d.next.time > t+1e-6 {
			break
		}
		if d.current != nil {
			d.free <- d.current.image
		}
		d.current, d.next = d.next, nil
	}
	if d.current == nil {
		return nil, nil
	}
	return d.current.image, nil
}

// lastFrame waits until ffmpeg ends and returns the last decoded frame, or the error of ffmpeg.
func (d *decoder) lastFrame() ([]byte, error) {
	err := d.process.Wait()
	switch {
	case d.process.Killed():
		return nil, fault.Transientf("ffmpeg was killed")
	case d.current != nil:
		return d.current.image, nil
	case err != nil:
		return nil, fault.Userf("ffmpeg: %s", ffmpeg.Message(d.process.LastLine()))
	case !errors.Is(d.err, io.EOF):
		return nil, fmt.Errorf("reading frames from ffmpeg: %w", d.err)
	default:
		return nil, nil
	}
}

// close kills ffmpeg and waits for run.
func (d *decoder) close() {
	d.stop()
	d.process.Kill()
	for range d.frames {
	}
}
