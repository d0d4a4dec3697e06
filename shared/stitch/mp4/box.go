package mp4

import (
	"encoding/binary"
	"fmt"
	"iter"
	"slices"

	"github.com/Eyevinn/mp4ff/bits"
	mp4ff "github.com/Eyevinn/mp4ff/mp4"

	"helios/shared/stitch"
)

// box is a box in memory.
type box struct {
	name string
	raw  []byte // the whole box
	body []byte // its content
}

// boxes yields the boxes in b. It stops at the first malformed box. The caller then reports a missing box.
func boxes(b []byte) iter.Seq[box] {
	return func(yield func(box) bool) {
		for len(b) >= 8 {
			size := binary.BigEndian.Uint32(b)
			if size < 8 || uint64(size) > uint64(len(b)) {
				return
			}
			if !yield(box{string(b[4:8]), b[:size], b[8:size]}) {
				return
			}
			b = b[size:]
		}
	}
}

// find returns the first box at a path of box types, such as mdia, minf.
func find(b []byte, path ...string) (box, bool) {
	for child := range boxes(b) {
		if child.name != path[0] {
			continue
		}
		if len(path) == 1 {
			return child, true
		}
		return find(child.body, path[1:]...)
	}
	return box{}, false
}

// has reports whether a box exists at a path of box types.
func has(b []byte, path ...string) bool {
	_, ok := find(b, path...)
	return ok
}

// without returns the boxes in b except those of some types.
func without(b []byte, names ...string) (rest []byte) {
	for child := range boxes(b) {
		if !slices.Contains(names, child.name) {
			rest = append(rest, child.raw...)
		}
	}
	return rest
}

// decode decodes the first box at a path of box types.
func decode[B mp4ff.Box](b []byte, path ...string) (B, error) {
	var none B
	name := path[len(path)-1]
	found, ok := find(b, path...)
	if !ok {
		return none, stitch.Errorf(stitch.Damaged, "has no %s box", name)
	}
	decoded, err := mp4ff.DecodeBoxSR(0, bits.NewFixedSliceReader(found.raw))
	if err != nil {
		return none, &stitch.ChunkError{
			Kind: stitch.Damaged, Detail: fmt.Sprintf("has a malformed %s box: %v", name, err), Err: err,
		}
	}
	typed, ok := decoded.(B)
	if !ok {
		return none, stitch.Errorf(stitch.Damaged, "has a malformed %s box", name)
	}
	return typed, nil
}
