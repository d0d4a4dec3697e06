package video

import (
	"context"
	"fmt"

	"helios/shared/fault"
)

// Reader returns the frames of one file. It is not safe for concurrent use.
type Reader struct {
	path    string
	info    *Info
	decoder *decoder // nil if ffmpeg is not running
	index   int      // the index of last
	last    []byte   // the frame that Frame returned last, or nil
	starts  int      // the number of times that ffmpeg was started
}

// NewReader returns a Reader of a file. info is the result of [Probe]. The caller must call Close.
func NewReader(path string, info *Info) *Reader { return &Reader{path: path, info: info} }

// Close ends ffmpeg.
func (r *Reader) Close() {
	if r.decoder != nil {
		r.decoder.close()
		r.decoder = nil
	}
}

// maxSkip is the maximum number of frames that the reader skips by decoding them. Decoding more frames takes longer
// than starting another ffmpeg.
const maxSkip = 60

// Frame returns the frame at info.Times[i]: a JPEG file, or a BMP file if info.Alpha. The slice is valid until the next
// call. If ffmpeg was killed, the error is a fault.Transient.
func (r *Reader) Frame(ctx context.Context, i int) ([]byte, error) {
	if i < 0 || i >= len(r.info.Times) {
		return nil, fmt.Errorf("%s has no frame %d", r.path, i)
	}
	if r.last != nil && r.index == i {
		return r.last, nil
	}
	if r.decoder != nil && (i < r.index || i > r.index+maxSkip) {
		r.Close()
	}
	image, err := r.read(ctx, i)
	if err != nil {
		r.Close()
		r.last = nil
		return nil, err
	}
	r.index, r.last = i, image
	return image, nil
}

// read decodes up to frame i. Files can contain frames that are never displayed, such as the reference frames of VP8.
// In place of such a frame, read returns the displayed frame before it. If ffmpeg started too late for that, read
// starts it again, 8 frames earlier.
func (r *Reader) read(ctx context.Context, i int) ([]byte, error) {
	for first := i; ; first = max(0, first-8) {
		if r.decoder == nil {
			d, err := startDecoder(r.path, r.info, first)
			if err != nil {
				return nil, err
			}
			r.decoder = d
			r.starts++
		}
		image, err := r.decoder.frameAt(ctx, r.info.Times[i]+r.info.TimeBase/2)
		if image != nil || err != nil {
			return image, err
		}
		r.Close()
		if first == 0 {
			return nil, fault.Userf("ffmpeg found no frame at %.3f s", r.info.Times[i])
		}
	}
}
