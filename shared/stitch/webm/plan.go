package webm

import (
	"context"

	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/store"
)

const (
	// inspectWidth is the number of chunks that are inspected concurrently. It is enough to hide the latency of S3.
	inspectWidth = 8

	// A cluster ends before the next key frame once it lasts minCluster, and before any block once it lasts maxCluster,
	// in milliseconds.
	minCluster = 500
	maxCluster = 5000
)

// keptBlocks is the maximum size of the blocks that stay in memory, in bytes. It is enough for typical outputs.
var keptBlocks int64 = 32 << 20

// plan describes the output. All its chunks have been checked.
type plan struct {
	st     store.Store
	chunks []*movie
	first  *movie
	audio  *movie // nil if there is none
	fps    job.Rate
	frames int64

	clusters []cluster
	size     int64 // of the output, after write
}

// cluster is a cluster of the output.
type cluster struct {
	time int64 // of its first block, in milliseconds
	size int64 // of its content
	key  bool  // whether it starts with a key frame
}

// newPlan inspects all chunks and the audio, and compares the chunks with the first.
func newPlan(ctx context.Context, st store.Store, chunks []stitch.Chunk, opts Options) (*plan, error) {
	checker, err := stitch.NewChecker(chunks, opts.Accept)
	if err != nil {
		return nil, err
	}
	p := &plan{st: st, fps: opts.FPS}
	budget := new(budget)
	budget.left.Store(keptBlocks)
	load := func(ctx context.Context, i int) (*movie, error) {
		m, err := inspect(ctx, st, chunks[i].Name, budget)
		if err != nil {
			return nil, err
		}
		return m, stitch.Named(m.Name, m.checkChunk())
	}
	for m, err := range stitch.Prefetch(ctx, len(chunks), inspectWidth, load, nil) {
		if err != nil {
			return nil, err
		}
		if err := checker.Check(m.Source, m.info().Info); err != nil {
			return nil, err
		}
		if err := p.compare(m); err != nil {
			return nil, stitch.Named(m.Name, err)
		}
		p.add(m)
	}
	return p, p.addAudio(ctx, opts.Audio, budget)
}

// checkChunk checks that the file is video without audio.
func (m *movie) checkChunk() error {
	if err := m.checkVideo(); err != nil {
		return err
	}
	if len(m.tracks) > 1 {
		return stitch.Errorf(stitch.Unsupported, "has an audio track; pass the audio as a separate file")
	}
	return nil
}

// compare compares a chunk with the first one. Both have the same codec and size.
func (p *plan) compare(m *movie) error {
	if p.first == nil {
		if p.fps.Num > 0 && !matches(m.tracks[0].duration, p.fps) {
			return stitch.Errorf(stitch.Mismatch, "has %s frames per second, want %s", m.tracks[0].rate(), p.fps)
		}
		return nil
	}
	if d := m.tracks[0].difference(p.first.tracks[0], p.first.Name); d != "" {
		return stitch.Errorf(stitch.Mismatch, "%s", d)
	}
	if m.coding != p.first.coding {
		return stitch.Errorf(stitch.Mismatch, "has different codec settings from %s", p.first.Name)
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
		// The track entries differ only in their numbers, so share that of the first chunk to save memory.
		t := p.first.tracks[0]
		t.number = m.tracks[0].number
		m.tracks = []track{t}
	}
	p.chunks = append(p.chunks, m)
	p.frames += m.frames
}

func (p *plan) addAudio(ctx context.Context, name string, budget *budget) error {
	if name == "" {
		return nil
	}
	m, err := inspect(ctx, p.st, name, budget)
	if err != nil {
		return err
	}
	if len(m.tracks) != 1 {
		return stitch.Named(name, stitch.Errorf(stitch.NotAudio, "has %d tracks, want one audio track only", len(m.tracks)))
	}
	if m.tracks[0].kind != audioTrack {
		return stitch.Named(name, stitch.Errorf(stitch.NotAudio, "has no audio track"))
	}
	p.audio = m
	return nil
}
