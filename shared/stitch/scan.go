package stitch

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

const (
	// windowSize is how much is read at once in search of boxes: the tables of a usual chunk, so that
	// a chunk in a bucket costs one or two requests.
	windowSize = 32 << 10

	// The largest moov is that of [maxFrames] frames. The other limits are far beyond what any muxer
	// writes. All of them only stop files that lie.
	maxMoov  = 512 << 20
	maxFtyp  = 4 << 10
	maxBoxes = 1000
)

// extent is a range of bytes in a file.
type extent struct{ off, size int64 }

func (e extent) end() int64 { return e.off + e.size }

// contains says whether o lies wholly within e.
func (e extent) contains(o extent) bool { return e.off <= o.off && o.end() <= e.end() }

// window reads a file through a buffer that moves to where it is needed.
type window struct {
	r    io.ReaderAt
	size int64
	buf  []byte
	at   int64
}

// bytes returns a range that lies in the file. They are valid until the next call.
func (w *window) bytes(e extent) ([]byte, error) {
	if !(extent{w.at, int64(len(w.buf))}).contains(e) {
		buf := make([]byte, min(max(e.size, windowSize), w.size-e.off))
		if n, err := w.r.ReadAt(buf, e.off); n < len(buf) {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		w.buf, w.at = buf, e.off
	}
	return w.buf[e.off-w.at:][:e.size], nil
}

// layout is where a file keeps what stitching needs.
type layout struct {
	ftyp  []byte   // the whole box
	moov  extent   // the content of the box
	mdats []extent // the contents of the boxes
}

// scan finds the boxes of a file.
func scan(w *window) (layout, error) {
	var l layout
	if w.size == 0 {
		return l, refuse(NotVideo, "is empty")
	}
	fragmented := false
	pos := int64(0)
	for n := 0; pos+8 <= w.size; n++ {
		if n == maxBoxes {
			return l, refuse(Damaged, "has more than %d boxes", maxBoxes)
		}
		name, box, body, err := header(w, pos)
		if err != nil {
			return l, err
		}
		if pos == 0 && (name != "ftyp" || box.size > maxFtyp) {
			break
		}
		if over := box.end() - w.size; over > 0 {
			return l, refuse(Damaged, "is cut off: its %s ends %d bytes after the file does", name, over)
		}
		switch name {
		case "ftyp":
			raw, err := w.bytes(box)
			if err != nil {
				return l, err
			}
			l.ftyp = append([]byte(nil), raw...)
		case "moov":
			if body.size > maxMoov {
				return l, refuse(Damaged, "has a moov of %d bytes, more than the %d that are allowed", body.size, maxMoov)
			}
			l.moov = body
		case "mdat":
			l.mdats = append(l.mdats, body)
		case "moof":
			fragmented = true
		}
		pos = box.end()
	}
	switch {
	case l.ftyp == nil:
		start, err := w.bytes(extent{0, min(16, w.size)})
		if err != nil {
			return l, err
		}
		return l, refuse(NotVideo, "is not an MP4 or MOV file: it begins with %q", start)
	case fragmented:
		return l, refuse(Unsuitable, "is a fragmented MP4; write it without -movflags frag_keyframe or empty_moov")
	case l.moov.size == 0:
		return l, refuse(Damaged, "is cut off: it has no moov, which is what a muxer writes last")
	}
	return l, nil
}

// header reads the header of the box at a place that has 8 bytes at least, and returns the extents of
// the box and of its content.
func header(w *window, pos int64) (name string, box, body extent, err error) {
	h, err := w.bytes(extent{pos, min(16, w.size-pos)})
	if err != nil {
		return "", extent{}, extent{}, err
	}
	name = string(h[4:8])
	head, size := int64(8), uint64(binary.BigEndian.Uint32(h))
	switch {
	case size == 0: // up to the end of the file
		size = uint64(w.size - pos)
	case size == 1 && len(h) == 16:
		head, size = 16, binary.BigEndian.Uint64(h[8:])
	}
	// A limit far above any file keeps sums of sizes from overflowing.
	if size < uint64(head) || size > 1<<60 {
		return "", extent{}, extent{}, refuse(Damaged, "has a box %s of impossible size %d at byte %d", printable(name), size, pos)
	}
	box = extent{pos, int64(size)}
	return name, box, extent{pos + head, box.size - head}, nil
}

// printable makes a box type fit to be shown.
func printable(name string) string {
	return strings.Trim(fmt.Sprintf("%q", name), `"`)
}
