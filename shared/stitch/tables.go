package stitch

import (
	"context"
	"encoding/binary"
	"io"
)

// tablesWidth is how many chunks' tables are read at once for one of the output's tables.
const tablesWidth = 8

// tables lays out the boxes in stbl. Those with an entry for each sample are streamed.
func (p *plan) tables(ctx context.Context, wide bool) []node {
	duration := p.first.samples.duration
	frames := uint32(p.frames)
	tables := []node{
		p.first.track.entry.node(),
		table("stts", []uint32{1, frames, duration}),
	}
	if p.syncs < p.frames {
		tables = append(tables, table("stss", []uint32{uint32(p.syncs)}, p.stream(ctx, 4*p.syncs, p.syncNumbers())))
	}
	if p.reordered || p.delay != 0 {
		tables = append(tables, table("ctts", []uint32{uint32(p.steps)}, p.stream(ctx, 8*p.steps, p.compositionOffsets)))
	}

	length, runs := p.runs()
	stsc := []uint32{0}
	if full := frames / length; full > 0 {
		stsc = append(stsc, 1, length, 1)
	}
	if rest := frames % length; rest > 0 {
		stsc = append(stsc, uint32(runs), rest, 1)
	}
	stsc[0] = uint32(len(stsc) / 3)
	offsets, width := "stco", int64(4)
	if wide {
		offsets, width = "co64", 8
	}
	return append(tables,
		table("stsc", stsc),
		table("stsz", []uint32{0, frames}, p.stream(ctx, 4*p.frames, sampleSizes)),
		table(offsets, []uint32{uint32(runs)}, p.stream(ctx, width*runs, p.runOffsets(length, wide))),
	)
}

// runs returns the number of samples in a run, half a second of them, and the number of runs. The last
// run may be shorter.
func (p *plan) runs() (length uint32, runs int64) {
	duration := p.first.samples.duration
	length = max(1, p.first.track.mdhd.Timescale/2/duration)
	return length, (p.frames + int64(length) - 1) / int64(length)
}

// appendFunc appends the entries of one chunk to a table. It is called for the chunks in order.
type appendFunc func([]byte, *samples) []byte

// stream is entries of size bytes in all, made chunk by chunk when they are written.
func (p *plan) stream(ctx context.Context, size int64, entries appendFunc) node {
	return node{size, func(w io.Writer) error {
		var buf []byte
		for s, err := range ahead(ctx, len(p.chunks), tablesWidth, p.load, nil) {
			if err != nil {
				return err
			}
			buf = entries(buf[:0], s)
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
		return nil
	}}
}

// syncNumbers makes the entries of stss.
func (p *plan) syncNumbers() appendFunc {
	before := uint32(0)
	return func(b []byte, s *samples) []byte {
		n := uint32(len(s.sizes))
		for _, number := range s.sync {
			b = binary.BigEndian.AppendUint32(b, before+number)
		}
		if s.sync == nil {
			for i := range n {
				b = binary.BigEndian.AppendUint32(b, before+i+1)
			}
		}
		before += n
		return b
	}
}

// compositionOffsets makes the entries of ctts: the number of samples that share an offset, and the
// offset.
func (p *plan) compositionOffsets(b []byte, s *samples) []byte {
	for i := 0; i < len(s.late); {
		late, count := s.late[i], uint32(0)
		for ; i < len(s.late) && s.late[i] == late; i++ {
			count++
		}
		b = binary.BigEndian.AppendUint32(b, count)
		b = binary.BigEndian.AppendUint32(b, uint32(p.delay+int64(late)*int64(s.duration)))
	}
	return b
}

// sampleSizes makes the entries of stsz.
func sampleSizes(b []byte, s *samples) []byte {
	for _, size := range s.sizes {
		b = binary.BigEndian.AppendUint32(b, size)
	}
	return b
}

// runOffsets makes the entries of stco or co64.
func (p *plan) runOffsets(length uint32, wide bool) appendFunc {
	frame, offset := int64(0), int64(0)
	return func(b []byte, s *samples) []byte {
		for _, size := range s.sizes {
			if frame%int64(length) == 0 {
				b = appendOffset(b, p.start+offset+p.sound.before(frame/int64(length)), wide)
			}
			frame++
			offset += int64(size)
		}
		return b
	}
}

// appendOffset appends an entry of co64, which is wide, or of stco.
func appendOffset(b []byte, at int64, wide bool) []byte {
	if wide {
		return binary.BigEndian.AppendUint64(b, uint64(at))
	}
	return binary.BigEndian.AppendUint32(b, uint32(at))
}
