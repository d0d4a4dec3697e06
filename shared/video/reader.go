package video

import (
	"context"
	"fmt"

	"helios/shared/fault"
)

// Reader returns the frames of one file. It must not be used by several goroutines at once.
type Reader struct {
	path    string
	info    *Info
	decoder *decoder // nil if none runs
	index   int      // of the last frame
	last    []byte   // the last frame, or nil
	starts  int      // the number of decoders so far
}

// NewReader returns a reader of a file with the Info that [Probe] returned. The caller must call Close.
func NewReader(path string, info *Info) *Reader { return &Reader{path: path, info: info} }

// Close ends ffmpeg.
func (r *Reader) Close() {
	if r.decoder != nil {
		r.decoder.close()
		r.decoder = nil
	}
}

// maxSkip is the maximum number of frames that the reader skips by decoding them. To decode more takes longer than to
// start another ffmpeg.
const maxSkip = 60

// Frame returns frame i of info.Times: a JPEG file, or a BMP file if info.Alpha. The slice is valid until the next
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

// read decodes up to frame i. Files can contain frames that are never shown, such as those of VP8; read returns the
// frame before such a frame, and starts earlier to find it if necessary.
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
