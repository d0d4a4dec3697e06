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

// Reader hands out the pictures of one file. It is for one goroutine at a time.
type Reader struct {
	path    string
	info    *Info
	stretch *stretch
	index   int    // of the picture that was handed out last
	last    []byte // that picture; nil when there is none
	starts  int    // how many stretches were begun
}

// NewReader returns a reader for a file of which Probe told info. Close has to be called in the end.
func NewReader(path string, info *Info) *Reader { return &Reader{path: path, info: info} }

// Close ends what the reader runs.
func (r *Reader) Close() {
	if r.stretch != nil {
		r.stretch.close()
		r.stretch = nil
	}
}

// skippable is how many frames further on a frame may be without it being dearer to decode those between than to
// begin a new stretch.
const skippable = 60

// Frame returns picture i of info.Times as a JPEG file, or as a BMP file if it has alpha, which stays valid until the next call. Pictures are had
// cheaply in order. The error is a fault.Transient when ffmpeg was killed.
func (r *Reader) Frame(ctx context.Context, i int) ([]byte, error) {
	if i < 0 || i >= len(r.info.Times) {
		return nil, fmt.Errorf("there is no picture %d in %s", i, r.path)
	}
	if r.last != nil && r.index == i {
		return r.last, nil
	}
	if r.stretch != nil && (i < r.index || i > r.index+skippable) {
		r.Close()
	}
	picture, err := r.read(ctx, i)
	if err != nil {
		r.Close()
		r.last = nil
		return nil, err
	}
	r.index, r.last = i, picture
	return picture, nil
}

// read decodes up to picture i. A file may tell of pictures that are never shown, such as VP8's; the one before
// is shown in their place.
func (r *Reader) read(ctx context.Context, i int) ([]byte, error) {
	for first := i; ; first = max(0, first-8) {
		if r.stretch == nil {
			s, err := r.start(first)
			if err != nil {
				return nil, err
			}
			r.stretch = s
			r.starts++
		}
		picture, err := r.stretch.at(ctx, r.info.Times[i]+r.info.TimeBase/2)
		if picture != nil || err != nil {
			return picture, err
		}
		r.Close()
		if first == 0 {
			return nil, fault.Userf("ffmpeg finds no picture at %.3f s", r.info.Times[i])
		}
	}
}

// stretch is a running ffmpeg, which decodes from one frame on.
type stretch struct {
	process *process.Process
	info    *Info
	stop    context.CancelFunc
	frames  chan frame // one ahead; closed at the end
	free    chan []byte
	now     *frame
	next    *frame
	err     error // why there are no more frames; set before frames is closed
}

type frame struct {
	time    float64
	picture []byte
}

// start begins a stretch at picture i.
func (r *Reader) start(i int) (*stretch, error) {
	ffmpeg, err := ffmpeg.Find()
	if err != nil {
		return nil, err
	}
	args := append([]string{"-nostdin", "-v", "error", "-threads", "1", "-filter_threads", "1"}, input...)
	if r.info.decoder != "" {
		args = append(args, "-c:v", r.info.decoder)
	}
	if i > 0 {
		// ffmpeg leaves out what is before, exactly, but counts from where the file begins.
		between := (r.info.Times[i-1] + r.info.Times[i]) / 2
		args = append(args, "-ss", strconv.FormatFloat(between+r.info.zero-r.info.start, 'f', 6, 64))
	}
	args = append(args, "-copyts", "-i", "file:"+r.path, "-map", "0:v:0", "-fps_mode", "passthrough",
		"-vf", r.info.filter()+",metadata=add:key=helios:value=0,metadata=print:file='pipe\\:3':direct=1")
	if r.info.Alpha {
		args = append(args, "-f", "rawvideo", "pipe:1")
	} else {
		args = append(args, "-c:v", "mjpeg", "-huffman", "default", "-qmin", "1", "-q:v", "1", "-f", "mpjpeg", "pipe:1")
	}

	pictures, picturesIn, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe to ffmpeg: %w", err)
	}
	times, timesIn, err := os.Pipe()
	if err != nil {
		pictures.Close()
		picturesIn.Close()
		return nil, fmt.Errorf("making a pipe to ffmpeg: %w", err)
	}
	cmd := exec.Command(ffmpeg, args...)
	cmd.Stdout, cmd.ExtraFiles = picturesIn, []*os.File{timesIn}
	p, err := process.Start(cmd)
	picturesIn.Close()
	timesIn.Close()
	if err != nil {
		pictures.Close()
		times.Close()
		return nil, fmt.Errorf("starting %s: %w", ffmpeg, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &stretch{process: p, info: r.info, stop: stop, frames: make(chan frame), free: make(chan []byte, 4)}
	go s.run(ctx, pictures, times)
	return s, nil
}

// run reads what ffmpeg writes until it ends or nobody wants it any more.
func (s *stretch) run(ctx context.Context, pictures, times *os.File) {
	defer close(s.frames)
	defer pictures.Close()
	defer times.Close()
	in, lines := bufio.NewReaderSize(pictures, 64<<10), bufio.NewScanner(times)
	for {
		f, err := s.decode(in, lines)
		if err != nil {
			s.err = err
			return
		}
		select {
		case s.frames <- f:
		case <-ctx.Done():
			return
		}
	}
}

func (s *stretch) decode(pictures *bufio.Reader, lines *bufio.Scanner) (f frame, err error) {
	select {
	case f.picture = <-s.free:
	default:
	}
	if s.info.Alpha {
		f.picture, err = s.readBMP(pictures, f.picture)
	} else {
		f.picture, err = readJPEG(pictures, f.picture)
	}
	if err != nil {
		return f, err
	}
	for lines.Scan() {
		_, text, ok := strings.Cut(lines.Text(), "pts_time:")
		if !ok {
			continue
		}
		f.time, err = strconv.ParseFloat(strings.TrimSpace(text), 64)
		f.time -= s.info.zero
		return f, err
	}
	return f, errors.Join(io.ErrUnexpectedEOF, lines.Err())
}

// readBMP makes a BMP of the bare pixels that ffmpeg writes.
func (s *stretch) readBMP(r io.Reader, picture []byte) ([]byte, error) {
	if picture == nil {
		picture = newBMP(s.info.Width, s.info.Height)
	}
	_, err := io.ReadFull(r, picture[headerSize:])
	return picture, err
}

// readJPEG reads the next part of what ffmpeg calls mpjpeg: headers, an empty line, a picture.
func readJPEG(r *bufio.Reader, picture []byte) ([]byte, error) {
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
	picture = slices.Grow(picture[:0], size)[:size]
	_, err := io.ReadFull(r, picture)
	return picture, err
}

// at returns the last picture that begins by a time, nil if the first begins later.
func (s *stretch) at(ctx context.Context, t float64) ([]byte, error) {
	for {
		if s.next == nil {
			select {
			case f, ok := <-s.frames:
				if !ok {
					return s.end()
				}
				s.next = &f
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		if s.next.time > t+1e-6 {
			break
		}
		if s.now != nil {
			s.free <- s.now.picture
		}
		s.now, s.next = s.next, nil
	}
	if s.now == nil {
		return nil, nil
	}
	return s.now.picture, nil
}

// end returns the last picture of all when there are no more.
func (s *stretch) end() ([]byte, error) {
	err := s.process.Wait()
	switch {
	case s.process.Killed():
		return nil, fault.Transientf("ffmpeg was killed")
	case s.now != nil:
		return s.now.picture, nil
	case err != nil:
		return nil, fault.Userf("ffmpeg: %s", strings.TrimPrefix(s.process.LastLine(), "file:"))
	case !errors.Is(s.err, io.EOF):
		return nil, fmt.Errorf("reading pictures from ffmpeg: %w", s.err)
	default:
		return nil, nil
	}
}

func (s *stretch) close() {
	s.stop()
	s.process.Kill()
	for range s.frames {
	}
}
