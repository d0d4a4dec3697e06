package capture

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

// The fast ways take a picture where it is drawn: a script beside those of the page wraps the pixels of a canvas
// in a VideoFrame and hands it to a worker, which writes it into a ring (ring.go). Nothing is compressed, and
// where no picture is compared, nothing is composited.

//go:embed raw.js
var rawSource string

//go:embed ring.js
var ringSource string

// UnfitError says that a fast way cannot show a composition as the reference does. It is a fault.User: who runs
// a part of a job cannot mend it, but who runs all of it can start over with the reference.
type UnfitError struct {
	Way job.Capture
	// Why is what was seen, in words that continue a sentence.
	Why string
}

func (e *UnfitError) Error() string {
	return fmt.Sprintf("the pictures cannot be taken by way of %s, because %s; render with --capture %s", e.Way, e.Why, job.CaptureReference)
}

func unfit(way job.Capture, format string, args ...any) error {
	return fault.As(fault.User, &UnfitError{way, fmt.Sprintf(format, args...)})
}

// rawFrames takes the pictures of one page in a fast way.
type rawFrames struct {
	way    job.Capture
	frames frameCounter
	ring   *ring
	taken  uint64 // pictures, since the page was opened
	fresh  bool   // the frame that was drawn last has one of its own

	// open opens the same page in the reference way, and twin is one that jumps to the frames that are compared, once
	// there is one. It never draws together with the other: Chromium 156 breaks down when two of its pages do. open is
	// nil where the page itself gives the picture of the reference together with its pixels.
	open func(context.Context) (*Player, error)
	twin *Player
}

// openRaw prepares a page that was loaded and stands at frame 0.
func openRaw(ctx context.Context, b *browser.Browser, c Composition, p *Player) (*rawFrames, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.o.Timeout, fault.Transientf("the page's worker did not start within %s", p.o.Timeout))
	defer cancel()
	l := newLayout(p.o.Width, p.o.Height)
	r := &rawFrames{way: p.o.Way, frames: frameCounter{world: p.clock.world, name: "raw"}}
	if r.way == job.CaptureElements {
		var err error
		if r.frames.world, err = p.page.Isolate(ctx); err != nil {
			return nil, err
		}
	}
	var problem string
	source := func(text string) string { return strings.TrimSpace(text[strings.Index(text, "async"):]) }
	err := r.frames.world.Evaluate(ctx, fmt.Sprintf("(%s)(%s, %q)", source(rawSource), l.json(), source(ringSource)), &problem)
	switch {
	case err != nil && fault.Of(err) == fault.User:
		return nil, unfit(r.way, "%s", err)
	case err != nil:
		return nil, err
	case problem != "":
		return nil, unfit(r.way, "the page cannot write a file: %s", problem)
	}
	if r.ring, err = openRing(b.Profile(), l); err != nil {
		return nil, err
	}
	if r.way == job.CaptureElements {
		o := p.o
		o.Way = job.CaptureReference
		r.open = func(ctx context.Context) (*Player, error) { return Open(ctx, b, c, o) }
	}
	return r, nil
}

func (r *rawFrames) close() {
	r.ring.close()
	if r.twin != nil {
		r.twin.Close()
	}
}

// look learns what came of frame n, which was lived through.
func (r *rawFrames) look(n int64) error {
	state := r.frames.state
	switch {
	case state.Wrong != "":
		return unfit(r.way, "in frame %d %s", n, state.Wrong)
	case state.Taken > 1:
		return unfit(r.way, "frame %d was drawn %d times", n, state.Taken)
	}
	r.fresh = state.Taken == 1
	r.taken += state.Taken
	return nil
}

// drawn is a frame whose picture was, or is being, written.
type drawn struct {
	index int64
	fresh bool // there is a picture; if not, it is that of the frame before
}

// playRaw is Play for the fast ways: while a frame is read and encoded, the next is drawn. The first and the last
// are compared with the reference.
func (p *Player) playRaw(ctx context.Context, from, count int64, start job.Start, emit func(Frame) error) error {
	r, last := p.raw, from+count-1
	g, ctx := errgroup.WithContext(ctx)
	slots := make(chan struct{}, r.ring.Slots)
	frames := make(chan drawn, r.ring.Slots)
	ends := make(chan Frame, 2) // copies of the first and the last frame
	reader := r.reader(p.o)

	g.Go(func() error {
		defer close(frames)
		if err := p.goTo(ctx, 0, from, start); err != nil {
			return err
		}
		for n := from; n <= last; n++ {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			shot, err := p.show(ctx, n, r.output(n, from, last))
			if err != nil {
				return err
			}
			frames <- drawn{n, r.fresh} // there is room for as many as there are slots
			if n != from && n != last {
				continue
			}
			select {
			case end := <-ends:
				err = r.check(ctx, end, shot, start)
			case <-ctx.Done():
				err = context.Cause(ctx)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error {
		for f := range frames {
			frame, err := reader.next(ctx, f)
			if err != nil {
				return err
			}
			if f.index == from || f.index == last {
				end := frame
				end.Pixels = bytes.Clone(frame.Pixels)
				ends <- end
			}
			if err := emit(frame); err != nil {
				return err
			}
			<-slots
		}
		return nil
	})
	return r.crashed(p, g.Wait())
}

// check compares a frame with its picture in the reference way, which shot is if it was taken.
func (r *rawFrames) check(ctx context.Context, f Frame, shot []byte, start job.Start) error {
	if r.open == nil {
		return r.compare(f, shot)
	}
	if r.twin == nil {
		var err error
		if r.twin, err = r.open(ctx); err != nil {
			return err
		}
	}
	shot, err := r.twin.shoot(ctx, f.Index)
	if err != nil {
		return err
	}
	differs := r.compare(f, shot)
	if differs == nil || start == job.StartJump {
		return differs
	}
	// Few pages have a history, but this may be one.
	twin, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer twin.Close()
	if err := twin.goTo(ctx, 0, f.Index, start); err != nil {
		return err
	}
	if shot, err = twin.show(ctx, f.Index, picture); err != nil {
		return err
	}
	return r.compare(f, shot)
}

// shoot takes the picture of frame n, which comes after those that it was called for before.
func (p *Player) shoot(ctx context.Context, n int64) ([]byte, error) {
	if p.last == nil {
		if err := p.goTo(ctx, 0, n, job.StartJump); err != nil {
			return nil, err
		}
	}
	return p.show(ctx, n, picture)
}

// crashed makes a crash of a page that is drawn into a canvas, as Chromium 156 has it with view transitions, a reason
// to do without.
func (r *rawFrames) crashed(p *Player, err error) error {
	if err != nil && r.way == job.CaptureElements && errors.Is(p.page.DeathCause(), browser.ErrCrashed) {
		return unfit(r.way, "the page's process crashed")
	}
	return err
}

// output returns what frame n of a run shall leave behind.
func (r *rawFrames) output(n, first, last int64) output {
	switch {
	case r.open != nil:
		return pixels
	case n == first || n == last:
		return pixels | picture
	case n == last-1:
		// Frames that are not drawn leave work behind, which would show in the last picture.
		return pixels | drawing
	}
	return pixels
}

// rawReader reads the pictures that were taken, in their order.
type rawReader struct {
	raw    *rawFrames
	o      Options
	read   uint64 // pictures, since the page was opened
	any    bool   // there was a frame before
	pixels []byte // the picture that was read last
	before []byte // and the one before
}

// reader returns what reads the pictures that are taken from now on.
func (r *rawFrames) reader(o Options) *rawReader {
	return &rawReader{raw: r, o: o, read: r.taken, pixels: make([]byte, r.ring.frameSize()), before: make([]byte, r.ring.frameSize())}
}

// next returns a frame, which is valid until the next call.
func (r *rawReader) next(ctx context.Context, f drawn) (Frame, error) {
	first := !r.any
	r.any = true
	if !f.fresh {
		if first {
			return Frame{}, fault.Transientf("the page gave no picture of frame %d", f.index)
		}
		return Frame{Index: f.index, Pixels: r.pixels, Repeated: true}, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.Timeout, fault.Transientf("the picture of frame %d was not there after %s", f.index, r.o.Timeout))
	defer cancel()
	err := r.raw.ring.wait(ctx, r.read+1)
	if w := new(workerError); errors.As(err, &w) {
		return Frame{}, unfit(r.raw.way, "frame %d could not be written: %s", f.index, w.words)
	}
	if err != nil {
		return Frame{}, err
	}
	r.pixels, r.before = r.before, r.pixels
	if err := r.raw.ring.read(r.read, r.pixels); err != nil {
		return Frame{}, err
	}
	r.read++
	if !opaque(r.pixels) {
		return Frame{}, unfit(r.raw.way, "the picture of frame %d is not opaque", f.index)
	}
	return Frame{Index: f.index, Pixels: r.pixels, Repeated: !first && bytes.Equal(r.pixels, r.before)}, nil
}
