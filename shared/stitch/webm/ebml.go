package webm

import (
	"encoding/binary"
	"iter"
	"math"
	"math/bits"

	"helios/shared/stitch"
)

// id is the ID of an EBML element, including its length marker.
type id uint32

// The elements that are read or written. RFC 9559 defines them.
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

// windowSize is the number of bytes that are read at a time.
const windowSize = 1 << 20

// element is an EBML element in a file.
type element struct {
	id    id
	whole stitch.Extent // with the header
	body  stitch.Extent
}

// readElement reads the header of the element at a position before end.
func readElement(w *stitch.Window, pos, end int64) (element, error) {
	b, err := w.Bytes(stitch.Extent{Off: pos, Size: min(12, end-pos)})
	if err != nil {
		return element{}, err
	}
	name, n := vint(b, 4, false)
	size, m := uint64(0), 0
	if n > 0 {
		size, m = vint(b[n:], 8, true)
	}
	if m == 0 {
		return element{}, stitch.Errorf(stitch.Damaged, "is truncated or malformed at byte %d", pos)
	}
	if size == 1<<(7*m)-1 {
		return element{}, stitch.Errorf(stitch.Damaged,
			"was not finished: its element 0x%X at byte %d has an unknown size", name, pos)
	}
	body := stitch.Extent{Off: pos + int64(n+m), Size: int64(min(size, math.MaxInt64/2))}
	if over := body.End() - end; over > 0 {
		return element{}, stitch.Errorf(stitch.Damaged,
			"is truncated: its element 0x%X is %d bytes longer than the element or file around it", name, over)
	}
	return element{id(name), stitch.Extent{Off: pos, Size: body.End() - pos}, body}, nil
}

// elements yields the elements in a range of the file.
func elements(w *stitch.Window, in stitch.Extent) iter.Seq2[element, error] {
	return func(yield func(element, error) bool) {
		for pos := in.Off; pos < in.End(); {
			e, err := readElement(w, pos, in.End())
			if !yield(e, err) || err != nil {
				return
			}
			pos = e.whole.End()
		}
	}
}

// vint decodes a variable-size integer (RFC 8794, section 4) of at most longest bytes. It returns the length n, which
// is 0 if the integer is malformed. Sizes are returned without the length marker, IDs with it.
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

// fields yields the elements in b. It stops at the first malformed element. The caller then reports a missing element.
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

// sizeLength returns the length of the size field of an element with n bytes.
func sizeLength(n int64) int64 {
	length := int64(1)
	for n >= 1<<(7*length)-1 {
		length++
	}
	return length
}

// appendHeader appends the ID and the size of an element in their shortest form.
func appendHeader(b []byte, name id, size int64) []byte {
	b = appendID(b, name)
	return appendSize(b, size, sizeLength(size))
}

// appendID appends the ID of an element.
func appendID(b []byte, name id) []byte {
	for n := (bits.Len32(uint32(name)) - 1) / 8; n >= 0; n-- {
		b = append(b, byte(name>>(8*n)))
	}
	return b
}

// appendSize appends the size of an element as an integer of length bytes.
func appendSize(b []byte, size, length int64) []byte {
	v := uint64(size) | 1<<(7*length)
	for n := length - 1; n >= 0; n-- {
		b = append(b, byte(v>>(8*n)))
	}
	return b
}

// appendWide appends the ID and the size of an element. The size always takes 8 bytes, so the length of the header does
// not depend on it.
func appendWide(b []byte, name id, size int64) []byte { return appendSize(appendID(b, name), size, 8) }

// appendBytes appends an element.
func appendBytes(b []byte, name id, body []byte) []byte {
	return append(appendHeader(b, name, int64(len(body))), body...)
}

// appendNumber appends an element that contains an unsigned integer of 8 bytes.
func appendNumber(b []byte, name id, n int64) []byte {
	return binary.BigEndian.AppendUint64(appendHeader(b, name, 8), uint64(n))
}

// appendFloat appends an element that contains a float of 8 bytes.
func appendFloat(b []byte, name id, f float64) []byte {
	return binary.BigEndian.AppendUint64(appendHeader(b, name, 8), math.Float64bits(f))
}
