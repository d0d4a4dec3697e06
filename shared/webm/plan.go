package webm

import (
	"context"
	"fmt"
	"iter"
	"path"

	"golang.org/x/sync/errgroup"

	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/store"
)

const (
	// inspectWidth is how many chunks are read at once: enough to hide a bucket's latency.
	inspectWidth = 8

	// A cluster begins with a key frame, if the one before has lasted for leastCluster, or wherever it is
	// that the one before has lasted for mostCluster; in milliseconds.
	leastCluster = 500
	mostCluster  = 5000
)

// keptBlocks is how many bytes of what is known of blocks are kept in memory, so that the blocks of a
// usual output are looked for once.
var keptBlocks int64 = 32 << 20

// plan is what is to be written, made from chunks that were found fit.
type plan struct {
	st     store.Store
	chunks []*movie
	first  *movie
	sound  *movie // nil for none
	fps    job.Rate
	frames int64

	clusters []cluster
	size     int64 // of the output, when it is written
}

// cluster is a cluster of the output.
type cluster struct {
	time int64 // of its first block, in milliseconds
	size int64 // of its content
	key  bool  // whether it begins with a key frame
}

// check inspects all chunks and compares them with the first.
func check(ctx context.Context, st store.Store, chunks []stitch.Chunk, opts Options) (*plan, error) {
	p := &plan{st: st, fps: opts.FPS, chunks: make([]*movie, len(chunks))}
	if err := checkNames(chunks); err != nil {
		return nil, err
	}
	room := new(room)
	room.left.Store(keptBlocks)
	for at := 0; at < len(chunks); at += inspectWidth {
		next := chunks[at:min(at+inspectWidth, len(chunks))]
		// The chunk at fault is the first one, whichever answers first.
		failed := make([]error, len(next))
		var g errgroup.Group
		for i, c := range next {
			g.Go(func() error {
				p.chunks[at+i], failed[i] = inspect(ctx, st, c.Name, room)
				return nil
			})
		}
		g.Wait()
		for i, c := range next {
			err := failed[i]
			if err == nil {
				err = named(c.Name, p.fits(p.chunks[at+i], c))
			}
			if err == nil && opts.Accept != nil {
				err = opts.Accept(c, p.chunks[at+i].info())
			}
			if err != nil {
				return nil, err
			}
			p.add(p.chunks[at+i])
		}
	}
	return p, p.addSound(ctx, opts.Audio, room)
}

// checkNames finds a chunk that is listed twice.
func checkNames(chunks []stitch.Chunk) error {
	seen := make(map[string]bool, len(chunks))
	for _, c := range chunks {
		name := path.Clean(c.Name)
		if seen[name] {
			return named(c.Name, refuse(stitch.Repeated, "is listed twice"))
		}
		seen[name] = true
	}
	return nil
}

// fits says in what a chunk is not as it must be to follow the first.
func (p *plan) fits(m *movie, c stitch.Chunk) error {
	if err := m.isVideo(); err != nil {
		return err
	}
	if len(m.tracks) > 1 {
		return refuse(stitch.Unsuitable, "has sound; give it apart from the pictures")
	}
	if c.Frames > 0 && m.frames != c.Frames {
		return refuse(stitch.FrameCount, "has %d frames, want %d", m.frames, c.Frames)
	}
	if p.first == nil {
		if p.fps.Num > 0 && !near(m.tracks[0].duration, p.fps) {
			return refuse(stitch.Mismatch, "has %s frames a second, want %s", m.tracks[0].rate(), p.fps)
		}
		return nil
	}
	if d := m.tracks[0].difference(p.first.tracks[0], p.first.name); d != "" {
		return refuse(stitch.Mismatch, "%s", d)
	}
	if m.coding != p.first.coding {
		return refuse(stitch.Mismatch, "has other settings of its codec than %s", p.first.name)
	}
	return nil
}

// add appends a chunk to the plan.
func (p *plan) add(m *movie) {
	if p.first == nil {
		p.first = m
		if p.fps.Num == 0 {
			p.fps = m.tracks[0].rate()
		}
	} else {
		// All entries are the same but for their numbers, so one is enough in memory.
		t := p.first.tracks[0]
		t.number = m.tracks[0].number
		m.tracks = []track{t}
	}
	p.frames += m.frames
}

func (p *plan) addSound(ctx context.Context, name string, room *room) error {
	if name == "" {
		return nil
	}
	m, err := inspect(ctx, p.st, name, room)
	if err != nil {
		return err
	}
	if len(m.tracks) != 1 || m.tracks[0].kind != audioTrack {
		return named(name, refuse(stitch.Unsuitable, "is to be a WebM file with one track of sound and no other"))
	}
	p.sound = m
	return nil
}

// item is a block of the output.
type item struct {
	block
	from     *movie
	sound    bool
	previous int64 // the time of the frame before
	opens    bool  // whether it begins a cluster
}

// items walks over the blocks of the output in the order in which they stand there: by time, pictures before
// sound. Times are those of the output.
func (p *plan) items(ctx context.Context) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		sound, stop := iter.Pull2(p.packets(ctx))
		defer stop()
		packet, err, more := sound()
		started, key := int64(-mostCluster), false
		put := func(it item) bool {
			it.opens = it.time-started >= mostCluster || !it.sound && it.key && (it.time-started >= leastCluster || !key)
			if it.opens {
				started, key = it.time, !it.sound && it.key
			}
			return yield(it, nil)
		}
		for frame, failed := range p.pictures(ctx) {
			for more && err == nil && failed == nil && packet.time < frame.time {
				if !put(packet) {
					return
				}
				packet, err, more = sound()
			}
			if failed != nil || err != nil {
				yield(item{}, firstOf(failed, err))
				return
			}
			if !put(frame) {
				return
			}
		}
		for ; more; packet, err, more = sound() {
			if err != nil {
				yield(item{}, err)
				return
			}
			if !put(packet) {
				return
			}
		}
	}
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// pictures walks over the frames of all chunks.
func (p *plan) pictures(ctx context.Context) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		n, previous := int64(0), int64(0)
		for _, m := range p.chunks {
			before := n
			for b, err := range p.load(ctx, m) {
				if err != nil {
					yield(item{}, err)
					return
				}
				b.time = milliseconds(n, p.fps)
				if !yield(item{block: b, from: m, previous: previous}, nil) {
					return
				}
				n, previous = n+1, b.time
			}
			if n-before != m.frames {
				yield(item{}, changed(m))
				return
			}
		}
	}
}

// packets walks over the sound.
func (p *plan) packets(ctx context.Context) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		if p.sound == nil {
			return
		}
		for b, err := range p.load(ctx, p.sound) {
			if !yield(item{block: b, from: p.sound, sound: true}, err) || err != nil {
				return
			}
		}
	}
}

// load walks over the blocks of a chunk, and reads them again if they were not kept.
func (p *plan) load(ctx context.Context, m *movie) iter.Seq2[block, error] {
	return func(yield func(block, error) bool) {
		if m.blocks != nil {
			for _, b := range m.blocks {
				if err := ctx.Err(); err != nil {
					yield(b, err)
					return
				}
				if !yield(b, nil) {
					return
				}
			}
			return
		}
		r, err := p.reopen(ctx, m)
		if err != nil {
			yield(block{}, err)
			return
		}
		defer r.Close()
		for b, err := range m.read(&window{r: r, size: m.size}, m.tracks[0]) {
			if err == nil {
				err = ctx.Err()
			}
			if !yield(b, named(m.name, err)) || err != nil {
				return
			}
		}
	}
}

// reopen opens a chunk again.
func (p *plan) reopen(ctx context.Context, m *movie) (store.Reader, error) {
	r, err := open(ctx, p.st, m.name)
	if err != nil {
		return nil, err
	}
	if r.Size() != m.size {
		r.Close()
		return nil, changed(m)
	}
	return r, nil
}

func changed(m *movie) error {
	return named(m.name, refuse(stitch.Damaged, "changed while it was being stitched"))
}

// layOut finds out which clusters there will be and how long they are.
func (p *plan) layOut(ctx context.Context) error {
	for it, err := range p.items(ctx) {
		if err != nil {
			return err
		}
		if it.opens {
			p.clusters = append(p.clusters, cluster{it.time, timestampSize, it.key && !it.sound})
		}
		now := &p.clusters[len(p.clusters)-1]
		if it.time-now.time > 1<<15-1 {
			return fmt.Errorf("the sound of %s stops for %d ms", it.from.name, it.time-now.time)
		}
		now.size += it.size()
	}
	return nil
}
