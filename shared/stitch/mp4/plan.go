package mp4

import (
	"context"
	"fmt"
	"hash/maphash"

	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/store"
)

const (
	// inspectWidth is the number of chunks that are inspected concurrently. It is enough to hide the latency of S3.
	inspectWidth = 16

	// keptTables is the maximum size of the moov boxes that stay in memory. It is enough for typical outputs.
	keptTables = 32 << 20
)

// plan describes the output. All its chunks have been checked.
type plan struct {
	st     store.Store
	chunks []plannedChunk
	first  *movie
	seed   maphash.Seed
	audio  *interleaving // nil if there is none

	frames, bytes int64 // of all chunks
	syncs         int64 // entries of stss
	offsetRuns    int64 // entries of ctts
	reordered     bool  // whether the composition offsets differ
	delay         int64 // composition offset of the first sample, in ticks
	start         int64 // offset of the samples in the output
}

// plannedChunk is a chunk that has been checked.
type plannedChunk struct {
	stitch.Source
	first int64 // the number of its first frame in the output
	moov  stitch.Extent
	mdats []stitch.Extent
	sum   uint64 // hash of the moov
	kept  []byte // the content of the moov, or nil
}

// newPlan inspects all chunks and compares them with the first.
func newPlan(
	ctx context.Context, st store.Store, chunks []stitch.Chunk, accept func(stitch.Chunk, stitch.Info) error,
) (*plan, error) {
	checker, err := stitch.NewChecker(chunks, accept)
	if err != nil {
		return nil, err
	}
	p := &plan{st: st, seed: maphash.MakeSeed()}
	load := func(ctx context.Context, i int) (*movie, error) { return inspect(ctx, st, chunks[i].Name) }
	kept := 0
	for m, err := range stitch.Prefetch(ctx, len(chunks), inspectWidth, load, nil) {
		if err != nil {
			return nil, err
		}
		if err := checker.Check(m.Source, m.info().Info); err != nil {
			return nil, err
		}
		if p.first != nil {
			if err := m.compare(p.first); err != nil {
				return nil, stitch.Named(m.Name, err)
			}
		}
		c := plannedChunk{
			Source: m.Source, moov: m.layout.moov, mdats: m.layout.mdats, sum: maphash.Bytes(p.seed, m.moov),
		}
		if kept += len(m.moov); kept <= keptTables {
			c.kept = m.moov
		}
		p.add(m, c)
		if p.frames > maxFrames {
			return nil, fmt.Errorf("the output would have more than %d frames, the limit for one file", maxFrames)
		}
	}
	return p, nil
}

// compare compares a chunk with the first one. Both have the same codec and size.
func (m *movie) compare(first *movie) error {
	name := first.Name
	if a, b := m.rate(), first.rate(); a != b {
		return stitch.Errorf(stitch.Mismatch, "has %s frames per second, but %s has %s", a, name, b)
	}
	if a, b := m.track.mdhd.Timescale, first.track.mdhd.Timescale; a != b {
		return stitch.Errorf(stitch.Mismatch,
			"has timescale %d, but %s has %d; encode both with the same -video_track_timescale", a, name, b)
	}
	if m.track.tkhd.Matrix != first.track.tkhd.Matrix {
		return stitch.Errorf(stitch.Mismatch, "is rotated or mirrored differently from %s", name)
	}
	if d := m.track.entry.difference(first.track.entry, name); d != "" {
		return stitch.Errorf(stitch.Mismatch, "%s", d)
	}
	return nil
}

// rate returns the frame rate as a number or as a fraction in lowest terms.
func (m *movie) rate() string {
	num, den := int64(m.track.mdhd.Timescale), int64(m.samples.duration)
	d := gcd(num, den)
	return job.Rate{Num: num / d, Den: den / d}.String()
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// add appends a chunk to the plan.
func (p *plan) add(m *movie, c plannedChunk) {
	if p.first == nil {
		p.first = m
	}
	c.first = p.frames
	p.chunks = append(p.chunks, c)
	s := m.samples
	p.frames += int64(len(s.sizes))
	p.bytes += s.bytes
	p.syncs += s.syncs()
	p.offsetRuns += s.offsetRuns()
	// A chunk with fewer frames than the encoder reorders has a smaller delay than the others, so use the largest
	// delay. A delay above maxReorder frames is not due to reordering: the muxer added a pause at the start.
	p.delay = max(p.delay, s.reorder()*int64(s.duration))
	if s.delay <= maxReorder*int64(s.duration) {
		p.delay = max(p.delay, s.delay)
	}
	p.reordered = p.reordered || s.offsetRuns() > 1
}

// load returns the sample tables of chunk i.
func (p *plan) load(ctx context.Context, i int) (*samples, error) {
	c := &p.chunks[i]
	if c.kept != nil {
		return c.parse(c.kept)
	}
	f, err := c.Reopen(ctx, p.st)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return p.samples(f, c)
}

// samples returns the sample tables of an open chunk.
func (p *plan) samples(f *stitch.File, c *plannedChunk) (*samples, error) {
	if c.kept != nil {
		return c.parse(c.kept)
	}
	moov := make([]byte, c.moov.Size)
	if n, err := f.ReadAt(moov, c.moov.Off); n < len(moov) {
		return nil, stitch.Named(c.Name, err)
	}
	if maphash.Bytes(p.seed, moov) != c.sum {
		return nil, c.Changed()
	}
	return c.parse(moov)
}

func (c *plannedChunk) parse(moov []byte) (*samples, error) {
	stbl, _ := find(moov, append([]string{"trak"}, stblPath...)...)
	s, err := parseSamples(stbl.body, c.mdats)
	return s, stitch.Named(c.Name, err)
}
