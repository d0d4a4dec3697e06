package stitch

import (
	"errors"
	"io"

	"helios/shared/store"
)

// Extent is a range of bytes in a file.
type Extent struct{ Off, Size int64 }

// End returns the offset of the first byte after the range.
func (e Extent) End() int64 { return e.Off + e.Size }

// Contains reports whether o is a part of e.
func (e Extent) Contains(o Extent) bool { return e.Off <= o.Off && o.End() <= e.End() }

// Window reads a file through one buffer. Small reads near each other cost one read of the file.
type Window struct {
	r    store.Reader
	step int64
	buf  []byte
	off  int64 // of the buffer's first byte
}

// NewWindow returns a Window that reads at least step bytes at a time, except at the end of the file.
func NewWindow(r store.Reader, step int64) *Window { return &Window{r: r, step: step} }

// Size returns the size of the file in bytes.
func (w *Window) Size() int64 { return w.r.Size() }

// Bytes returns the bytes of a range, which must be inside the file. They are valid until the next call.
func (w *Window) Bytes(e Extent) ([]byte, error) {
	if !(Extent{w.off, int64(len(w.buf))}).Contains(e) {
		n := min(max(e.Size, w.step), w.Size()-e.Off)
		if int64(cap(w.buf)) < n {
			w.buf = make([]byte, n)
		}
		w.buf, w.off = w.buf[:n], e.Off
		if n, err := w.r.ReadAt(w.buf, e.Off); n < len(w.buf) {
			w.buf = nil
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return w.buf[e.Off-w.off:][:e.Size], nil
}
