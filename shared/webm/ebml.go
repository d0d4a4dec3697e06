package webm

import (
	"encoding/binary"
	"io"
	"iter"
	"math"
	"math/bits"

	"helios/shared/stitch"
)

// id is the number of an EBML element, with the marker of its length.
type id uint32

// The elements that are read or written; RFC 9559 says what they mean.
const (
	idEBML               id = 0x1A45DFA3
	idEBMLVersion        id = 0x4286
	idEBMLReadVersion    id = 0x42F7
	idEBMLMaxIDLength    id = 0x42F2
	idEBMLMaxSizeLength  id = 0x42F3
	idDocType            id = 0x4282
	idDocTypeVersion     id = 0x4287
	idDocTypeReadVersion id = 0x4285

	idSegment      id = 0x18538067
	idSeekHead     id = 0x114D9B74
	idSeek         id = 0x4DBB
	idSeekID       id = 0x53AB
	idSeekPosition id = 0x53AC

	idInfo           id = 0x1549A966
	idTimestampScale id = 0x2AD7B1
	idDuration       id = 0x4489
	idMuxingApp      id = 0x4D80
	idWritingApp     id = 0x5741

	idTracks          id = 0x1654AE6B
	idTrackEntry      id = 0xAE
	idTrackNumber     id = 0xD7
	idTrackUID        id = 0x73C5
	idTrackType       id = 0x83
	idCodecID         id = 0x86
	idCodecPrivate    id = 0x63A2
	idDefaultDuration id = 0x23E383
	idVideo           id = 0xE0
	idPixelWidth      id = 0xB0
	idPixelHeight     id = 0xBA
	idAlphaMode       id = 0x53C0
	idColour          id = 0x55B0

	idTags       id = 0x1254C367
	idTag        id = 0x7373
	idTargets    id = 0x63C0
	idTagTrackID id = 0x63C5
	idSimpleTag  id = 0x67C8
	idTagName    id = 0x45A3
	idTagString  id = 0x4487

	idCues               id = 0x1C53BB6B
	idCuePoint           id = 0xBB
	idCueTime            id = 0xB3
	idCueTrackPositions  id = 0xB7
	idCueTrack           id = 0xF7
	idCueClusterPosition id = 0xF1

	idCluster        id = 0x1F43B675
	idTimestamp      id = 0xE7
	idSimpleBlock    id = 0xA3
	idBlockGroup     id = 0xA0
	idBlock          id = 0xA1
	idBlockDuration  id = 0x9B
	idReferenceBlock id = 0xFB
	idBlockAdditions id = 0x75A1
	idDiscardPadding id = 0x75A2
)

// extent is a range of bytes in a file.
type extent struct{ off, size int64 }

func (e extent) end() int64 { return e.off + e.size }

// element is an EBML element in a file.
type element struct {
	id    id
	whole extent
	body  extent
}

// windowSize is how much is read at once.
const windowSize = 1 << 20

// window reads a file through a buffer that moves to where it is needed.
type window struct {
	r    io.ReaderAt
	size int64
	buf  []byte
	at   int64
}

// bytes returns a range that lies in the file. They are valid until the next call.
func (w *window) bytes(e extent) ([]byte, error) {
	if e.off < w.at || e.end() > w.at+int64(len(w.buf)) {
		n := min(max(e.size, windowSize), w.size-e.off)
		if int64(cap(w.buf)) < n {
			w.buf = make([]byte, n)
		}
		w.buf, w.at = w.buf[:n], e.off
		if n, err := w.r.ReadAt(w.buf, e.off); n < len(w.buf) {
			w.buf = nil
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return w.buf[e.off-w.at:][:e.size], nil
}

// element reads the header of the element at a place before end.
func (w *window) element(pos, end int64) (element, error) {
	b, err := w.bytes(extent{pos, min(12, end-pos)})
	if err != nil {
		return element{}, err
	}
	name, n := vint(b, 4, false)
	size, m := uint64(0), 0
	if n > 0 {
		size, m = vint(b[n:], 8, true)
	}
	if m == 0 {
		return element{}, refuse(stitch.Damaged, "is cut off or broken at byte %d", pos)
	}
	if size == 1<<(7*m)-1 {
		return element{}, refuse(stitch.Damaged, "was never finished: its element %X at byte %d has no size", name, pos)
	}
	body := extent{pos + int64(n+m), int64(min(size, math.MaxInt64/2))}
	if over := body.end() - end; over > 0 {
		return element{}, refuse(stitch.Damaged, "is cut off: its element %X ends %d bytes after what it stands in", name, over)
	}
	return element{id(name), extent{pos, body.end() - pos}, body}, nil
}

// elements walks over the elements in a range of the file.
func (w *window) elements(in extent) iter.Seq2[element, error] {
	return func(yield func(element, error) bool) {
		for pos := in.off; pos < in.end(); {
			e, err := w.element(pos, in.end())
			if !yield(e, err) || err != nil {
				return
			}
			pos = e.whole.end()
		}
	}
}

// vint decodes a number whose first bits tell its length, at most longest bytes; the length is 0 if that
// cannot be. Sizes come without the marker of the length, and ids with it.
func vint(b []byte, longest int, size bool) (value uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	n = bits.LeadingZeros8(b[0]) + 1
	if n > longest || n > len(b) {
		return 0, 0
	}
	for _, c := range b[:n] {
		value = value<<8 | uint64(c)
	}
	if size {
		value &^= 1 << (7 * n)
	}
	return value, n
}

// field is an element in memory.
type field struct {
	id   id
	body []byte
}

// fields decodes the elements in b. It ends at the first one that does not fit: what is missing then is
// noticed by whoever looks for it.
func fields(b []byte) iter.Seq[field] {
	return func(yield func(field) bool) {
		for len(b) > 0 {
			name, n := vint(b, 4, false)
			if n == 0 {
				return
			}
			size, m := vint(b[n:], 8, true)
			if m == 0 || size > uint64(len(b)-n-m) {
				return
			}
			b = b[n+m:]
			if !yield(field{id(name), b[:size]}) {
				return
			}
			b = b[size:]
		}
	}
}

// number decodes an unsigned integer.
func number(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// sizeLength is how many bytes the size of n bytes takes.
func sizeLength(n int64) int64 {
	length := int64(1)
	for n >= 1<<(7*length)-1 {
		length++
	}
	return length
}

// appendHead appends an element's id and size, as short as they can be.
func appendHead(b []byte, name id, size int64) []byte {
	b = appendID(b, name)
	return appendSize(b, size, sizeLength(size))
}

func appendID(b []byte, name id) []byte {
	for n := (bits.Len32(uint32(name)) - 1) / 8; n >= 0; n-- {
		b = append(b, byte(name>>(8*n)))
	}
	return b
}

func appendSize(b []byte, size, length int64) []byte {
	v := uint64(size) | 1<<(7*length)
	for n := length - 1; n >= 0; n-- {
		b = append(b, byte(v>>(8*n)))
	}
	return b
}

// appendWide appends an element's id and a size of 8 bytes: as long whatever the size is.
func appendWide(b []byte, name id, size int64) []byte { return appendSize(appendID(b, name), size, 8) }

func appendBytes(b []byte, name id, body []byte) []byte {
	return append(appendHead(b, name, int64(len(body))), body...)
}

// appendNumber appends an unsigned integer of 8 bytes.
func appendNumber(b []byte, name id, n int64) []byte {
	return binary.BigEndian.AppendUint64(appendHead(b, name, 8), uint64(n))
}

func appendFloat(b []byte, name id, f float64) []byte {
	return binary.BigEndian.AppendUint64(appendHead(b, name, 8), math.Float64bits(f))
}
