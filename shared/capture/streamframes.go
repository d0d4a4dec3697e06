package capture

import (
	"bytes"
	"context"

	"golang.org/x/sync/errgroup"

	"helios/shared/job"
)

// queued is a frame between capture and emit.
type queued struct {
	index  int64
	pixels []byte // nil if the frame equals the previous one
}

// queueLength is how many frames are captured ahead of emit.
const queueLength = 3

// playStream is Play in stream mode. Frames are captured while earlier ones are emitted.
func (p *Player) playStream(
	ctx context.Context, from, count int64, mode job.SeekMode, emit func(Frame) error,
) error {
	g, ctx := errgroup.WithContext(ctx)
	q := frameQueue{frames: make(chan queued, queueLength), free: make(chan []byte, queueLength+2)}
	for range cap(q.free) {
		q.free <- nil
	}
	g.Go(func() error {
		defer close(q.frames)
		return p.captureStream(ctx, from, count, mode, q)
	})
	g.Go(func() error {
		var last []byte
		for f := range q.frames {
			repeated := f.pixels == nil || bytes.Equal(f.pixels, last)
			if f.pixels != nil {
				if last != nil {
					q.free <- last
				}
				last = f.pixels
			}
			if err := emit(Frame{Index: f.index, Pixels: last, Repeated: repeated}); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

// frameQueue passes frames from capture to emit, and their buffers back.
type frameQueue struct {
	frames chan queued
	free   chan []byte // buffers; nil if one is not allocated yet
}

// captureStream captures count frames, starting with frame from, and puts them into the queue.
func (p *Player) captureStream(ctx context.Context, from, count int64, mode job.SeekMode, q frameQueue) error {
	s := p.stream
	if err := p.seek(ctx, from, mode); err != nil {
		return err
	}
	if err := s.flushPending(ctx); err != nil {
		return err
	}
	s.done = s.done[:0]
	if from == 0 && count > 0 {
		s.done = append(s.done, resolved{changed: true, content: s.current})
	}
	for n := max(from, 1); n < from+count; n++ {
		if _, err := p.runFrame(ctx, n, outputDrawn); err != nil {
			return err
		}
		if err := s.enqueueDone(ctx, from, q); err != nil {
			return err
		}
	}
	if err := s.flushPending(ctx); err != nil {
		return err
	}
	return s.enqueueDone(ctx, from, q)
}

// enqueueDone puts the frames whose content is known into the queue. The first frame of the queue is from: it needs its
// pixels even if it is unchanged.
func (s *stream) enqueueDone(ctx context.Context, from int64, q frameQueue) error {
	for i := range s.done {
		d := &s.done[i]
		f := queued{index: d.frame}
		if d.changed || d.frame == from {
			select {
			case f.pixels = <-q.free:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			if f.pixels == nil {
				f.pixels = make([]byte, s.layout.frameSize())
			}
			if err := s.readContent(&d.content, f.pixels); err != nil {
				return err
			}
		}
		select {
		case q.frames <- f:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.done = s.done[:0]
	return nil
}
