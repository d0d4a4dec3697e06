package webm

import (
	"context"
	"encoding/binary"
	"iter"
	"math/bits"
	"sync/atomic"

	"helios/shared/job"
	"helios/shared/stitch"
)

// block is a frame of a track, or a packet of sound, as it stands in a file.
type block struct {
	// data is the frame itself.
	data extent
	// kept are elements of its group that are copied as they are, adjacent ones joined: its transparency, or
	// what of its sound is not to be heard.
	kept  [2]extent
	time  int64 // in milliseconds
	group bool  // whether it stands in a BlockGroup
	key   bool
	flags byte // of what it is besides a key frame
}

// blockMemory is about what a block takes in memory.
const blockMemory = 80

// room is how much memory there is for blocks, in bytes.
type room struct{ left atomic.Int64 }

func (r *room) take() bool { return r != nil && r.left.Add(-blockMemory) >= 0 }

// simpleKey is the flag of a SimpleBlock that is a key frame, and lacing the two that say that several
// frames share a block.
const (
	simpleKey = 0x80
	lacing    = 0x06
)

// read walks over the blocks of one of the tracks.
func (m *movie) read(w *window, track track) iter.Seq2[block, error] {
	return func(yield func(block, error) bool) {
		for e, err := range w.elements(m.segment) {
			if err != nil {
				yield(block{}, err)
				return
			}
			if e.id == idCluster && !m.readCluster(w, e.body, track, yield) {
				return
			}
		}
	}
}

// readCluster yields the blocks of a cluster and reports whether there is to be more.
func (m *movie) readCluster(w *window, cluster extent, track track, yield func(block, error) bool) bool {
	start := int64(0)
	for e, err := range w.elements(cluster) {
		var b block
		mine := false
		if err == nil {
			switch e.id {
			case idTimestamp:
				var raw []byte
				if raw, err = w.bytes(extent{e.body.off, min(e.body.size, 8)}); err == nil {
					start = int64(number(raw))
				}
			case idSimpleBlock:
				b, mine, err = readBlock(w, e.body, track, start)
				b.key = b.flags&simpleKey != 0
				b.flags &^= simpleKey
			case idBlockGroup:
				b, mine, err = readGroup(w, e.body, track, start)
			}
		}
		if err != nil {
			yield(b, err)
			return false
		}
		if mine && !yield(b, nil) {
			return false
		}
	}
	return true
}

// readBlock reads the header of a block: the number of its track, its time and its flags.
func readBlock(w *window, body extent, track track, start int64) (b block, mine bool, err error) {
	head, err := w.bytes(extent{body.off, min(body.size, 11)})
	if err != nil {
		return b, false, err
	}
	of, n := vint(head, 8, true)
	if n == 0 || len(head) < n+3 {
		return b, false, refuse(stitch.Damaged, "has a broken block at byte %d", body.off)
	}
	b.time = start + int64(int16(binary.BigEndian.Uint16(head[n:])))
	b.flags = head[n+2]
	if b.flags&lacing != 0 {
		return b, false, refuse(stitch.Unsuitable, "has several frames in the block at byte %d", body.off)
	}
	b.data = extent{body.off + int64(n+3), body.size - int64(n+3)}
	if b.data.size == 0 {
		return b, false, refuse(stitch.Damaged, "has an empty block at byte %d", body.off)
	}
	return b, of == track.number, nil
}

func readGroup(w *window, body extent, track track, start int64) (b block, mine bool, err error) {
	key, kept := true, b.kept
	n := 0
	for e, err := range w.elements(body) {
		if err != nil {
			return b, false, err
		}
		switch e.id {
		case idBlock:
			if b, mine, err = readBlock(w, e.body, track, start); err != nil {
				return b, false, err
			}
		case idReferenceBlock:
			key = false
		case idBlockAdditions, idBlockDuration, idDiscardPadding:
			switch {
			case e.id == idBlockDuration && track.kind == videoTrack:
				// The rate says it, without rounding.
			case n > 0 && kept[n-1].end() == e.whole.off:
				kept[n-1].size += e.whole.size
			case n < len(kept):
				kept[n] = e.whole
				n++
			default:
				return b, false, refuse(stitch.Unsuitable, "has a block group at byte %d with too many parts", body.off)
			}
		}
	}
	b.group, b.key, b.kept = true, key, kept
	return b, mine, nil
}

// count reads all blocks of the first track, checks their order and keeps them if there is room.
func (m *movie) count(ctx context.Context, w *window, room *room) error {
	t, last := m.tracks[0], int64(-1)
	fps := t.rate()
	keep := room != nil
	for b, err := range m.read(w, t) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if t.kind == videoTrack && fps.Num > 0 {
			// A muxer may have rounded otherwise.
			want := milliseconds(m.frames, fps)
			switch {
			case m.frames == 0 && !b.key:
				return refuse(stitch.Unsuitable, "does not start with a key frame; encode it with closed GOPs")
			case b.time <= last || b.time < want-1 || b.time > want+1:
				return refuse(stitch.Unsuitable, "has frame %d at %d ms, where %s frames a second have it at %d ms", m.frames, b.time, fps, want)
			}
		}
		if m.frames == 0 && t.codec == "V_VP9" {
			if m.coding, err = vp9Coding(w, b.data); err != nil {
				return err
			}
		}
		last = b.time
		m.frames++
		if keep = keep && room.take(); keep {
			m.blocks = append(m.blocks, b)
		} else {
			m.blocks = nil
		}
	}
	if m.frames == 0 {
		return refuse(stitch.Damaged, "has no frames")
	}
	return nil
}

// vp9Coding returns the profile, the bit depth and the colours of a VP9 stream from its first frame. They stand
// around three bytes that are always the same.
func vp9Coding(w *window, frame extent) (string, error) {
	b, err := w.bytes(extent{frame.off, min(5, frame.size)})
	if err != nil || len(b) < 5 {
		return "", err
	}
	return string([]byte{b[0] & 0xf0, b[4] & 0xf8}), nil
}

// milliseconds returns the time of frame n, rounded half up.
func milliseconds(n int64, fps job.Rate) int64 {
	hi, lo := bits.Mul64(uint64(n)*2000, uint64(fps.Den))
	lo, carry := bits.Add64(lo, uint64(fps.Num), 0)
	quotient, _ := bits.Div64(hi+carry, lo, uint64(fps.Num)*2)
	return int64(quotient)
}
