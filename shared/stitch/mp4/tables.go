package mp4

import (
	"context"
	"encoding/binary"
	"io"

	"helios/shared/stitch"
)

// tablesWidth is the number of chunks that are read concurrently while a table of the output is written.
const tablesWidth = 8

// tables lays out the boxes in stbl of the video track. Tables with an entry for each sample are streamed.
func (p *plan) tables(ctx context.Context, wide bool) []node {
	frames := uint32(p.frames)
	tables := []node{
		p.first.track.entry.stsd(),
		table("stts", []uint32{1, frames, p.first.samples.duration}),
	}
	if p.syncs < p.frames {
		tables = append(tables, table("stss", []uint32{uint32(p.syncs)}, p.stream(ctx, 4*p.syncs, p.syncNumbers())))
	}
	if p.reordered || p.delay != 0 {
		tables = append(tables,
			table("ctts", []uint32{uint32(p.offsetRuns)}, p.stream(ctx, 8*p.offsetRuns, p.compositionOffsets)))
	}
	length, runs := p.runs()
	var lengths runLengths
	for range frames / length {
		lengths.add(length)
	}
	lengths.add(frames % length)
	return append(tables,
		lengths.stsc(),
		table("stsz", []uint32{0, frames}, p.stream(ctx, 4*p.frames, sampleSizes)),
		p.offsetTable(ctx, runs, wide, p.videoOffsets(length, wide)),
	)
}

// runs returns the number of frames in a run, which lasts half a second, and the number of runs. The last run may be
// shorter.
func (p *plan) runs() (length uint32, runs int64) {
	length = max(1, p.first.track.mdhd.Timescale/2/p.first.samples.duration)
	return length, (p.frames + int64(length) - 1) / int64(length)
}

// runLengths collects the entries of an stsc box.
type runLengths struct {
	runs    uint32
	entries []uint32 // first run, samples per run, sample description
}

// add adds a run of n samples. It ignores empty runs, which are not stored.
func (r *runLengths) add(n uint32) {
	if n == 0 {
		return
	}
	r.runs++
	if len(r.entries) == 0 || r.entries[len(r.entries)-2] != n {
		r.entries = append(r.entries, r.runs, n, 1)
	}
}

func (r *runLengths) stsc() node {
	return table("stsc", append([]uint32{uint32(len(r.entries) / 3)}, r.entries...))
}

// offsetTable returns an stco box, or a co64 box if wide.
func (p *plan) offsetTable(ctx context.Context, runs int64, wide bool, entries appendFunc) node {
	name, width := "stco", int64(4)
	if wide {
		name, width = "co64", 8
	}
	return table(name, []uint32{uint32(runs)}, p.stream(ctx, width*runs, entries))
}

// appendFunc appends the entries of one chunk to a table. It is called for the chunks in order.
type appendFunc func([]byte, *samples) []byte

// stream returns a node of size bytes whose entries are generated chunk by chunk while it is written.
func (p *plan) stream(ctx context.Context, size int64, entries appendFunc) node {
	return node{size, func(w io.Writer) error {
		var buf []byte
		for s, err := range stitch.Prefetch(ctx, len(p.chunks), tablesWidth, p.load, nil) {
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

// syncNumbers generates the entries of stss.
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

// compositionOffsets generates the entries of ctts: the number of samples that share an offset, and the offset.
func (p *plan) compositionOffsets(b []byte, s *samples) []byte {
	for i := 0; i < len(s.shifts); {
		shift, count := s.shifts[i], uint32(0)
		for ; i < len(s.shifts) && s.shifts[i] == shift; i++ {
			count++
		}
		b = binary.BigEndian.AppendUint32(b, count)
		b = binary.BigEndian.AppendUint32(b, uint32(p.delay+int64(shift)*int64(s.duration)))
	}
	return b
}

// sampleSizes generates the entries of stsz.
func sampleSizes(b []byte, s *samples) []byte {
	for _, size := range s.sizes {
		b = binary.BigEndian.AppendUint32(b, size)
	}
	return b
}

// videoOffsets generates the entries of the stco or co64 box of the video track.
func (p *plan) videoOffsets(length uint32, wide bool) appendFunc {
	frame, offset := int64(0), int64(0)
	return func(b []byte, s *samples) []byte {
		for _, size := range s.sizes {
			if frame%int64(length) == 0 {
				b = appendOffset(b, p.start+offset+p.audio.before(frame/int64(length)), wide)
			}
			frame++
			offset += int64(size)
		}
		return b
	}
}

// appendOffset appends an entry of co64 if wide, of stco otherwise.
func appendOffset(b []byte, offset int64, wide bool) []byte {
	if wide {
		return binary.BigEndian.AppendUint64(b, uint64(offset))
	}
	return binary.BigEndian.AppendUint32(b, uint32(offset))
}
