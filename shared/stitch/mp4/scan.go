package mp4

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"helios/shared/stitch"
)

const (
	// windowSize is the number of bytes that are read at a time. It covers the tables of a typical chunk, so that a
	// chunk in S3 takes one or two requests.
	windowSize = 32 << 10

	// maxMoov is enough for [maxFrames] frames. The other limits are far above what muxers write. They protect against
	// files with wrong sizes.
	maxMoov  = 512 << 20
	maxFtyp  = 4 << 10
	maxBoxes = 1000
	maxSize  = 1 << 60 // keeps sums of sizes from overflowing
)

// layout locates the top-level boxes of a file.
type layout struct {
	ftyp  []byte          // the whole box
	moov  stitch.Extent   // the content of the box
	mdats []stitch.Extent // the contents of the boxes
}

// scan reads the headers of the top-level boxes.
func scan(w *stitch.Window) (l layout, err error) {
	if w.Size() == 0 {
		return l, stitch.Errorf(stitch.NotVideo, "is empty")
	}
	fragmented := false
	pos := int64(0)
	for n := 0; pos+8 <= w.Size(); n++ {
		if n == maxBoxes {
			return l, stitch.Errorf(stitch.Damaged, "has more than %d boxes", maxBoxes)
		}
		name, box, body, err := readHeader(w, pos)
		if err != nil {
			return l, err
		}
		if pos == 0 && (name != "ftyp" || box.Size > maxFtyp) {
			break
		}
		if over := box.End() - w.Size(); over > 0 {
			return l, stitch.Errorf(stitch.Damaged, "is truncated: its %s box is %d bytes longer than the file", name, over)
		}
		switch name {
		case "ftyp":
			raw, err := w.Bytes(box)
			if err != nil {
				return l, err
			}
			l.ftyp = bytes.Clone(raw)
		case "moov":
			if body.Size > maxMoov {
				return l, stitch.Errorf(stitch.Damaged, "has a moov box of %d bytes, at most %d are allowed",
					body.Size, maxMoov)
			}
			l.moov = body
		case "mdat":
			l.mdats = append(l.mdats, body)
		case "moof":
			fragmented = true
		}
		pos = box.End()
	}
	switch {
	case l.ftyp == nil:
		start, err := w.Bytes(stitch.Extent{Size: min(16, w.Size())})
		if err != nil {
			return l, err
		}
		return l, stitch.Errorf(stitch.NotVideo, "is not an MP4 or MOV file: it starts with %q", start)
	case fragmented:
		return l, stitch.Errorf(stitch.Unsupported,
			"is a fragmented MP4; write it without -movflags frag_keyframe or empty_moov")
	case l.moov.Size == 0:
		return l, stitch.Errorf(stitch.Damaged, "is truncated: it has no moov box, which muxers write last")
	}
	return l, nil
}

// readHeader reads the header of the box at pos. At least 8 bytes must follow pos. It returns the extents of the box
// and of its content.
func readHeader(w *stitch.Window, pos int64) (name string, box, body stitch.Extent, err error) {
	h, err := w.Bytes(stitch.Extent{Off: pos, Size: min(16, w.Size()-pos)})
	if err != nil {
		return "", box, body, err
	}
	name = string(h[4:8])
	header, size := int64(8), uint64(binary.BigEndian.Uint32(h))
	switch {
	case size == 0: // the box ends with the file
		size = uint64(w.Size() - pos)
	case size == 1 && len(h) == 16:
		header, size = 16, binary.BigEndian.Uint64(h[8:])
	}
	if size < uint64(header) || size > maxSize {
		return "", box, body, stitch.Errorf(stitch.Damaged, "has a %s box of impossible size %d at byte %d",
			printable(name), size, pos)
	}
	box = stitch.Extent{Off: pos, Size: int64(size)}
	return name, box, stitch.Extent{Off: pos + header, Size: box.Size - header}, nil
}

// printable escapes the characters of a box type that cannot be printed.
func printable(name string) string {
	return strings.Trim(fmt.Sprintf("%q", name), `"`)
}
