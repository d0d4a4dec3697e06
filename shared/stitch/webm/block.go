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

// block is a video frame or an audio packet in a file.
type block struct {
	// data is the frame itself.
	data stitch.Extent
	// kept are the elements of the BlockGroup that are copied unchanged: the transparency of a frame, or the padding of
	// an audio packet. Adjacent elements are merged.
	kept  [2]stitch.Extent
	time  int64 // in milliseconds
	group bool  // whether the block is in a BlockGroup
	key   bool
	flags byte // without the flag of a key frame
}

// blockMemory is the approximate size of a block in memory, in bytes.
const blockMemory = 80

// budget is the memory left for blocks, in bytes.
type budget struct{ left atomic.Int64 }

// spend reserves the memory for one block. It reports whether the budget allows it.
func (b *budget) spend() bool { return b != nil && b.left.Add(-blockMemory) >= 0 }

const (
	// simpleKey is the flag of a key frame in a SimpleBlock.
	simpleKey = 0x80
	// lacing are the two flags of a block with several frames.
	lacing = 0x06
)

// trackBlocks yields the blocks of a track.
func (m *movie) trackBlocks(w *stitch.Window, track track) iter.Seq2[block, error] {
	return func(yield func(block, error) bool) {
		for e, err := range elements(w, m.segment) {
			if err != nil {
				yield(block{}, err)
				return
			}
			if e.id == idCluster && !yieldCluster(w, e.body, track, yield) {
				return
			}
		}
	}
}

// yieldCluster yields the blocks of a track in a cluster. It returns false if the loop ends.
func yieldCluster(w *stitch.Window, cluster stitch.Extent, track track, yield func(block, error) bool) bool {
	start := int64(0)
	for e, err := range elements(w, cluster) {
		var b block
		match := false
		if err == nil {
			switch e.id {
			case idTimestamp:
				var raw []byte
				if raw, err = w.Bytes(stitch.Extent{Off: e.body.Off, Size: min(e.body.Size, 8)}); err == nil {
					start = int64(number(raw))
				}
			case idSimpleBlock:
				b, match, err = readBlock(w, e.body, track, start)
				b.key = b.flags&simpleKey != 0
				b.flags &^= simpleKey
			case idBlockGroup:
				b, match, err = readGroup(w, e.body, track, start)
			}
		}
		if err != nil {
			yield(b, err)
			return false
		}
		if match && !yield(b, nil) {
			return false
		}
	}
	return true
}

// readBlock reads the header of a block: its track number, time and flags. match reports whether the block belongs to
// the track.
func readBlock(w *stitch.Window, body stitch.Extent, track track, start int64) (b block, match bool, err error) {
	header, err := w.Bytes(stitch.Extent{Off: body.Off, Size: min(body.Size, 11)})
	if err != nil {
		return b, false, err
	}
	trackNumber, n := vint(header, 8, true)
	if n == 0 || len(header) < n+3 {
		return b, false, stitch.Errorf(stitch.Damaged, "has a malformed block at byte %d", body.Off)
	}
	b.time = start + int64(int16(binary.BigEndian.Uint16(header[n:])))
	b.flags = header[n+2]
	if b.flags&lacing != 0 {
		return b, false, stitch.Errorf(stitch.Unsupported, "has several frames in the block at byte %d", body.Off)
	}
	b.data = stitch.Extent{Off: body.Off + int64(n+3), Size: body.Size - int64(n+3)}
	if b.data.Size == 0 {
		return b, false, stitch.Errorf(stitch.Damaged, "has an empty block at byte %d", body.Off)
	}
	return b, trackNumber == track.number, nil
}

// readGroup reads a BlockGroup.
func readGroup(w *stitch.Window, body stitch.Extent, track track, start int64) (b block, match bool, err error) {
	key, kept := true, b.kept
	n := 0
	for e, err := range elements(w, body) {
		if err != nil {
			return b, false, err
		}
		switch e.id {
		case idBlock:
			if b, match, err = readBlock(w, e.body, track, start); err != nil {
				return b, false, err
			}
		case idReferenceBlock:
			key = false
		case idBlockAdditions, idBlockDuration, idDiscardPadding:
			switch {
			case e.id == idBlockDuration && track.kind == videoTrack:
				// Not copied: the frame rate is more precise.
			case n > 0 && kept[n-1].End() == e.whole.Off:
				kept[n-1].Size += e.whole.Size
			case n < len(kept):
				kept[n] = e.whole
				n++
			default:
				return b, false, stitch.Errorf(stitch.Unsupported, "has too many elements in the block group at byte %d",
					body.Off)
			}
		}
	}
	b.group, b.key, b.kept = true, key, kept
	return b, match, nil
}

// readBlocks counts the blocks of the first track and checks their timestamps. It keeps the blocks if the budget
// allows.
func (m *movie) readBlocks(ctx context.Context, w *stitch.Window, budget *budget) error {
	t, last := m.tracks[0], int64(-1)
	fps := t.rate()
	keep := budget != nil
	for b, err := range m.trackBlocks(w, t) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if t.kind == videoTrack && fps.Num > 0 {
			// Muxers may round differently, by one millisecond.
			want := milliseconds(m.frames, fps)
			switch {
			case m.frames == 0 && !b.key:
				return stitch.Errorf(stitch.Unsupported, "does not start with a key frame; encode it with closed GOPs")
			case b.time <= last || b.time < want-1 || b.time > want+1:
				return stitch.Errorf(stitch.Unsupported, "has frame %d at %d ms, want %d ms for %s frames per second",
					m.frames, b.time, want, fps)
			}
		}
		if m.frames == 0 && t.codec == "V_VP9" {
			if m.coding, err = vp9Coding(w, b.data); err != nil {
				return err
			}
		}
		last = b.time
		m.frames++
		if keep = keep && budget.spend(); keep {
			m.blocks = append(m.blocks, b)
		} else {
			m.blocks = nil
		}
	}
	if m.frames == 0 {
		return stitch.Errorf(stitch.Damaged, "has no frames")
	}
	return nil
}

// vp9Coding returns the bytes with the profile, the bit depth and the colour space in the uncompressed header of a VP9
// key frame. Between them is the sync code, three bytes that are always the same.
func vp9Coding(w *stitch.Window, frame stitch.Extent) (string, error) {
	b, err := w.Bytes(stitch.Extent{Off: frame.Off, Size: min(5, frame.Size)})
	if err != nil || len(b) < 5 {
		return "", err
	}
	return string([]byte{b[0] & 0xf0, b[4] & 0xf8}), nil
}

// milliseconds returns the time of frame n in milliseconds, rounded to the nearest integer.
func milliseconds(n int64, fps job.Rate) int64 {
	hi, lo := bits.Mul64(uint64(n)*2000, uint64(fps.Den))
	lo, carry := bits.Add64(lo, uint64(fps.Num), 0)
	quotient, _ := bits.Div64(hi+carry, lo, uint64(fps.Num)*2)
	return int64(quotient)
}
