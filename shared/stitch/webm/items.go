package webm

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"

	"helios/shared/stitch"
)

// item is a block of the output.
type item struct {
	block
	from          *movie
	audio         bool
	previous      int64 // the time of the previous frame, in milliseconds
	startsCluster bool
}

// items yields the blocks of the output in the order in which they are stored: by time, video before audio. Times are
// those of the output.
func (p *plan) items(ctx context.Context) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		audio, stop := iter.Pull2(p.audioPackets(ctx))
		defer stop()
		packet, err, more := audio()
		started, key := int64(-maxCluster), false
		put := func(it item) bool {
			age := it.time - started
			it.startsCluster = age >= maxCluster || !it.audio && it.key && (age >= minCluster || !key)
			if it.startsCluster {
				started, key = it.time, !it.audio && it.key
			}
			return yield(it, nil)
		}
		for frame, failed := range p.videoFrames(ctx) {
			for more && err == nil && failed == nil && packet.time < frame.time {
				if !put(packet) {
					return
				}
				packet, err, more = audio()
			}
			if err := cmp.Or(failed, err); err != nil {
				yield(item{}, err)
				return
			}
			if !put(frame) {
				return
			}
		}
		for ; more; packet, err, more = audio() {
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

// videoFrames yields the frames of all chunks.
func (p *plan) videoFrames(ctx context.Context) iter.Seq2[item, error] {
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
				yield(item{}, m.Changed())
				return
			}
		}
	}
}

// audioPackets yields the packets of the audio.
func (p *plan) audioPackets(ctx context.Context) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		if p.audio == nil {
			return
		}
		for b, err := range p.load(ctx, p.audio) {
			if !yield(item{block: b, from: p.audio, audio: true}, err) || err != nil {
				return
			}
		}
	}
}

// load yields the blocks of a file. It reads them again if they were not kept.
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
		f, err := m.Reopen(ctx, p.st)
		if err != nil {
			yield(block{}, err)
			return
		}
		defer f.Close()
		for b, err := range m.trackBlocks(stitch.NewWindow(f, windowSize), m.tracks[0]) {
			if err == nil {
				err = ctx.Err()
			}
			if !yield(b, stitch.Named(m.Name, err)) || err != nil {
				return
			}
		}
	}
}

// layOut computes the clusters and their sizes.
func (p *plan) layOut(ctx context.Context) error {
	for it, err := range p.items(ctx) {
		if err != nil {
			return err
		}
		if it.startsCluster {
			p.clusters = append(p.clusters, cluster{it.time, timestampSize, it.key && !it.audio})
		}
		current := &p.clusters[len(p.clusters)-1]
		// The time of a block is relative to its cluster and has 16 bits.
		if age := it.time - current.time; age > math.MaxInt16 {
			return fmt.Errorf("the audio of %s has a gap of %d ms", it.from.Name, age)
		}
		current.size += it.size()
	}
	return nil
}
