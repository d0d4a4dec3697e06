package stitch

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// memory is a store.Reader that counts reads.
type memory struct {
	*bytes.Reader
	size  int64
	reads int
}

func (m *memory) Size() int64  { return m.size }
func (m *memory) Close() error { return nil }
func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	m.reads++
	return m.Reader.ReadAt(p, off)
}

func TestWindow(t *testing.T) {
	m := &memory{Reader: bytes.NewReader([]byte("0123456789")), size: 10}
	w := NewWindow(m, 4)
	for _, tt := range []struct {
		extent Extent
		want   string
		reads  int // in total
	}{
		{Extent{0, 2}, "01", 1},
		{Extent{2, 2}, "23", 1},
		{Extent{3, 2}, "34", 2},
		{Extent{1, 8}, "12345678", 3}, // larger than a step
		{Extent{8, 2}, "89", 4},       // the last step is shorter
		{Extent{10, 0}, "", 4},
	} {
		b, err := w.Bytes(tt.extent)
		if err != nil || string(b) != tt.want || m.reads != tt.reads {
			t.Errorf("Bytes(%v) = %q, %v after %d reads, want %q after %d",
				tt.extent, b, err, m.reads, tt.want, tt.reads)
		}
	}
}

// If the file became shorter, the error is not io.EOF, which callers could mistake for the end of their loop.
func TestWindowOfTruncatedFile(t *testing.T) {
	w := NewWindow(&memory{Reader: bytes.NewReader([]byte("0123")), size: 10}, 4)
	if _, err := w.Bytes(Extent{2, 4}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Bytes = %v", err)
	}
}
