package capture

import (
	"bytes"
	"context"

	"golang.org/x/sync/errgroup"

	"helios/shared/job"
)

// queued is a frame on its way to emit.
type queued struct {
	index  int64
	pixels []byte // nil if it is the same as the one before
}

// queue is how many frames are captured ahead of what emit has finished.
const queue = 3

// playStream is Play in stream mode: while one frame is emitted, the next ones are captured.
func (p *Player) playStream(ctx context.Context, from, count int64, mode job.SeekMode, emit func(Frame) error) error {
	g, ctx := errgroup.WithContext(ctx)
	frames, free := make(chan queued, queue), make(chan []byte, queue+2)
	for range cap(free) {
		free <- nil
	}
	g.Go(func() error {
		defer close(frames)
		return p.captureStream(ctx, from, count, mode, frames, free)
	})
	g.Go(func() error {
		var last []byte
		for f := range frames {
			repeated := f.pixels == nil || bytes.Equal(f.pixels, last)
			if f.pixels != nil {
				if last != nil {
					free <- last
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

// captureStream captures frames in buffers that are free.
func (p *Player) captureStream(ctx context.Context, from, count int64, mode job.SeekMode, frames chan<- queued, free <-chan []byte) error {
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
		if _, err := p.runFrame(ctx, n, drawing); err != nil {
			return err
		}
		if err := s.send(ctx, from, frames, free); err != nil {
			return err
		}
	}
	if err := s.flushPending(ctx); err != nil {
		return err
	}
	return s.send(ctx, from, frames, free)
}

// send sends the frames of which the content is known.
func (s *stream) send(ctx context.Context, from int64, frames chan<- queued, free <-chan []byte) error {
	for _, o := range s.done {
		f := queued{index: o.frame}
		if o.changed || o.frame == from {
			select {
			case f.pixels = <-free:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			if f.pixels == nil {
				f.pixels = make([]byte, s.layout.frameSize())
			}
			if err := s.readContent(o.content, f.pixels); err != nil {
				return err
			}
		}
		select {
		case frames <- f:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.done = s.done[:0]
	return nil
}
