package stitch

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"path"
	"time"

	"helios/shared/store"
)

const (
	// inspectWidth is how many chunks are read at once: enough to hide a bucket's latency.
	inspectWidth = 16

	// keptTables is how many bytes of tables are kept in memory, so that the chunks of a usual output
	// are read once. The tables of the chunks beyond that are read again when they are needed.
	keptTables = 32 << 20
)

// plan is what is to be written, made from chunks that were found fit.
type plan struct {
	st     store.Store
	chunks []checked
	first  *movie
	seed   maphash.Seed
	sound  *interleaving // nil if there is none

	frames, bytes int64 // of all samples
	syncs, steps  int64 // entries of stss and ctts
	reordered     bool  // whether a ctts is needed at all
	delay         int64 // composition offset of the first sample
	start         int64 // where the sample bytes begin in the output
}

// checked is what is remembered of a chunk that was found fit.
type checked struct {
	name   string
	size   int64
	first  int64 // frame of the output
	layout layout
	sum    uint64 // of the moov's content
	moov   []byte // the content, or nil if it was not kept
}

// check inspects all chunks and compares them with the first.
func check(ctx context.Context, st store.Store, chunks []Chunk, accept func(Chunk, Info) error) (*plan, error) {
	if err := checkNames(chunks); err != nil {
		return nil, err
	}
	p := &plan{st: st, seed: maphash.MakeSeed()}
	inspectNth := func(ctx context.Context, i int) (*movie, error) { return inspect(ctx, st, chunks[i].Name) }
	files := fileSet{}
	kept := 0
	for m, err := range ahead(ctx, len(chunks), inspectWidth, inspectNth, nil) {
		if err != nil {
			return nil, err
		}
		chunk := chunks[len(p.chunks)]
		if accept != nil {
			if err := accept(chunk, m.info()); err != nil {
				return nil, err
			}
		}
		if err := p.fits(m, chunk); err != nil {
			return nil, named(m.name, err)
		}
		if other := files.add(m); other != "" {
			return nil, named(m.name, refuse(Repeated, "is the same file as %s", other))
		}
		c := checked{name: m.name, size: m.size, layout: m.layout, sum: maphash.Bytes(p.seed, m.moov)}
		c.layout.ftyp = nil
		if kept += len(m.moov); kept <= keptTables {
			c.moov = m.moov
		}
		p.add(m, c)
		if p.frames > maxFrames {
			return nil, fmt.Errorf("the output would have more than the %d frames that fit into one file", maxFrames)
		}
	}
	return p, nil
}

// checkNames finds a chunk that is listed twice.
func checkNames(chunks []Chunk) error {
	seen := make(map[string]bool, len(chunks))
	for _, c := range chunks {
		name := path.Clean(c.Name)
		if seen[name] {
			return named(c.Name, refuse(Repeated, "is listed twice"))
		}
		seen[name] = true
	}
	return nil
}

// fits says in what a chunk is not as it must be to follow the first.
func (p *plan) fits(m *movie, chunk Chunk) error {
	info := m.info()
	if chunk.Frames > 0 && info.Frames != chunk.Frames {
		return refuse(FrameCount, "has %d frames, want %d", info.Frames, chunk.Frames)
	}
	if p.first == nil {
		return nil
	}
	first, name := p.first.info(), p.first.name
	switch {
	case info.Codec != first.Codec:
		return refuse(Mismatch, "is %s but %s is %s", info.Codec, name, first.Codec)
	case info.Width != first.Width || info.Height != first.Height:
		return refuse(Mismatch, "is %dx%d but %s is %dx%d", info.Width, info.Height, name, first.Width, first.Height)
	case info.rate() != first.rate():
		return refuse(Mismatch, "has %s frames a second but %s has %s", info.rate(), name, first.rate())
	case info.Timescale != first.Timescale:
		return refuse(Mismatch, "has timescale %d but %s has %d; encode both with the same -video_track_timescale", info.Timescale, name, first.Timescale)
	case m.track.tkhd.Matrix != p.first.track.tkhd.Matrix:
		return refuse(Mismatch, "is turned or mirrored otherwise than %s", name)
	}
	if d := m.track.entry.difference(p.first.track.entry, name); d != "" {
		return refuse(Mismatch, "%s", d)
	}
	return nil
}

// rate shows the frame rate as a fraction in lowest terms.
func (i Info) rate() string {
	a, b := i.Timescale, i.FrameDuration
	for b != 0 {
		a, b = b, a%b
	}
	if i.FrameDuration == a {
		return fmt.Sprint(i.Timescale / a)
	}
	return fmt.Sprintf("%d/%d", i.Timescale/a, i.FrameDuration/a)
}

// add appends a chunk to the plan.
func (p *plan) add(m *movie, c checked) {
	if p.first == nil {
		p.first = m
	}
	c.first = p.frames
	p.chunks = append(p.chunks, c)
	s := m.samples
	p.frames += int64(len(s.sizes))
	p.bytes += s.bytes
	p.syncs += s.syncs()
	p.steps += s.steps()
	// A chunk of fewer frames than the encoder reorders has a smaller delay than the others, so the
	// largest counts. A muxer may have added a pause at the start, which is not meant here.
	p.delay = max(p.delay, s.reorder()*int64(s.duration))
	if s.delay <= maxReorder*int64(s.duration) {
		p.delay = max(p.delay, s.delay)
	}
	p.reordered = p.reordered || s.steps() > 1
}

// load reads the sample tables of a chunk again.
func (p *plan) load(ctx context.Context, i int) (*samples, error) {
	c := &p.chunks[i]
	if c.moov != nil {
		return p.parse(c, c.moov)
	}
	r, err := p.reopen(ctx, c)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return p.reread(r, c)
}

// reopen opens a chunk again.
func (p *plan) reopen(ctx context.Context, c *checked) (store.Reader, error) {
	r, err := open(ctx, p.st, c.name)
	if err != nil {
		return nil, err
	}
	if r.Size() != c.size {
		r.Close()
		return nil, changed(c)
	}
	return r, nil
}

// reread reads the sample tables from a chunk that is open.
func (p *plan) reread(r io.ReaderAt, c *checked) (*samples, error) {
	if c.moov != nil {
		return p.parse(c, c.moov)
	}
	moov := make([]byte, c.layout.moov.size)
	if n, err := r.ReadAt(moov, c.layout.moov.off); n < len(moov) {
		return nil, named(c.name, err)
	}
	if maphash.Bytes(p.seed, moov) != c.sum {
		return nil, changed(c)
	}
	return p.parse(c, moov)
}

func (p *plan) parse(c *checked, moov []byte) (*samples, error) {
	stbl, _ := find(moov, append([]string{"trak"}, stblPath...)...)
	s, err := parseSamples(stbl.body, c.layout.mdats)
	return s, named(c.name, err)
}

func changed(c *checked) error {
	return named(c.name, refuse(Damaged, "changed while it was being stitched"))
}

// fileSet finds files that are listed under two names. Files of the same size and time are compared
// with each other.
type fileSet map[fileKey][]*movie

type fileKey struct {
	size int64
	time time.Time
}

// add returns the name under which the file of a chunk is in the set, or adds it.
func (s fileSet) add(m *movie) (other string) {
	if m.file == nil {
		return ""
	}
	key := fileKey{m.file.Size(), m.file.ModTime()}
	for _, o := range s[key] {
		if os.SameFile(o.file, m.file) {
			return o.name
		}
	}
	s[key] = append(s[key], &movie{name: m.name, file: m.file})
	return ""
}
