package stitch

import (
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// box is a box in memory.
type box struct {
	name string
	raw  []byte // the whole box
	body []byte // its content
}

// boxes walks over the boxes that a box contains. It ends at the first one that does not fit: what is
// missing then is noticed by whoever looks for it.
func boxes(body []byte) iter.Seq[box] {
	return func(yield func(box) bool) {
		for len(body) >= 8 {
			size := binary.BigEndian.Uint32(body)
			if size < 8 || uint64(size) > uint64(len(body)) {
				return
			}
			if !yield(box{string(body[4:8]), body[:size], body[8:size]}) {
				return
			}
			body = body[size:]
		}
	}
}

// find returns the first box under a path of types.
func find(body []byte, path ...string) (box, bool) {
	for b := range boxes(body) {
		if b.name != path[0] {
			continue
		}
		if len(path) == 1 {
			return b, true
		}
		return find(b.body, path[1:]...)
	}
	return box{}, false
}

// decode finds a box of a known type and decodes it.
func decode[B mp4.Box](body []byte, path ...string) (B, error) {
	var none B
	name := path[len(path)-1]
	b, ok := find(body, path...)
	if !ok {
		return none, refuse(Damaged, "has no %s box", name)
	}
	decoded, err := mp4.DecodeBoxSR(0, bits.NewFixedSliceReader(b.raw))
	if err != nil {
		return none, &ChunkError{Kind: Damaged, Detail: fmt.Sprintf("has a broken %s box: %v", name, err), Err: err}
	}
	typed, ok := decoded.(B)
	if !ok {
		return none, refuse(Damaged, "has a broken %s box", name)
	}
	return typed, nil
}

// has says whether there is a box under a path of types.
func has(body []byte, path ...string) bool {
	_, ok := find(body, path...)
	return ok
}
