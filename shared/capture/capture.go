// Package capture turns a composition into frames: it plays the page under a virtual clock and captures each
// frame at its exact time.
//
// Two clocks of Chromium are moved together. The engine's virtual time moves timers, Date and
// performance.now(); the frame time of beginFrame moves CSS, Web Animations and requestAnimationFrame.
// Everything that the page does before frame 0 (parsing, scripts, fetches, fonts) happens while both stand
// still at zero, however long it takes. A request that a frame makes is answered 10 ms later in the page's
// time, however long the network takes.
//
// So frame n is the same on every machine and in every partition. A page with history, such as a simulation that moves
// on with every call, replays all earlier frames. A seekable page, whose frames depend only on the time, goes to any
// frame directly. [Seekable] finds out which.
package capture

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

// Options says how a composition is played.
type Options struct {
	// Width and Height are the size of the page in CSS pixels.
	Width, Height int
	// Transparent leaves what the page does not paint transparent, not white.
	Transparent bool
	// FPS is the frame rate.
	FPS job.Rate
	// Seed seeds Math.random and crypto.getRandomValues.
	Seed uint32
	// Props is the JSON value of window.__HELIOS_PROPS__; nil leaves it undefined.
	Props json.RawMessage
	// AllowMissing plays the page without the assets that could not be had.
	AllowMissing bool
	// Timeout is the longest that loading, or one frame, may take by the wall clock.
	Timeout time.Duration
	// Capture is the capture mode; empty is [job.CaptureScreenshot].
	Capture job.Capture
	// Scale is the device pixel ratio of the browser; 0 is 1.
	Scale float64

	fastForward bool // the page may be lived through without frames, see fastforward.go
}

// scale returns the device pixel ratio.
func (o Options) scale() float64 { return cmp.Or(o.Scale, 1) }

// Frame is one frame of a composition.
type Frame struct {
	// Index counts from the start of the composition.
	Index int64
	// PNG is the frame in screenshot mode. If nothing changed it is the one before, not a copy.
	PNG []byte
	// Pixels is the frame in stream mode, in I420: limited range, BT.601. It is valid until emit returns.
	Pixels []byte
	// Repeated says that nothing changed since the frame before.
	Repeated bool
}

// Data returns the frame in the form that the capture mode has.
func (f Frame) Data() []byte {
	if f.Pixels != nil {
		return f.Pixels
	}
	return f.PNG
}

// Player is a composition that was loaded and shows frame 0. It plays forward only, once, for one goroutine.
type Player struct {
	page   *browser.Page
	main   browser.World // where the page's own scripts run
	clock  *clock
	o      Options
	seeks  bool   // the page offers window.helios.seek
	next   int64  // the frame to be shown next
	last   []byte // the picture of the frame before, if one was taken
	frames frameCounter
	media  *media
	going  atomic.Pointer[string] // where the page began to go, if anywhere
	left   atomic.Pointer[string] // where it went, if it did not stay
	stream *stream                // nil in screenshot mode
}

// Open loads a composition in a new page of a browser and waits until it is ready: its load event, its
// fonts and images, the promise in window.helios.ready, and an answer to every request that it made. Then it shows
// frame 0.
//
// What is wrong with the page is a fault.User that names it; the page is closed then.
func Open(ctx context.Context, b *browser.Browser, c Composition, o Options) (*Player, error) {
	for try := 0; ; try++ {
		p, err := openOnce(ctx, b, c, o)
		if !errors.Is(err, errBlank) || try == maxBlank {
			return p, err
		}
	}
}

// maxBlank is how many more pages are opened if Chromium never draws one, which is rare.
const maxBlank = 2

func openOnce(ctx context.Context, b *browser.Browser, c Composition, o Options) (*Player, error) {
	p := &Player{o: o, media: newMedia(b)}
	options := browser.PageOptions{Width: o.Width, Height: o.Height, Transparent: o.Transparent, Script: p.media.prelude(o) + prelude(o), BlockMedia: true}
	if o.fastForward {
		options.Script = fastForwardPrelude() + options.Script
	}
	if o.Capture == job.CaptureStream {
		p.stream = newStream(p, b.ProfileDir())
		options.IsolatedScript, options.Worker = p.stream.script(), &p.stream.worker
	}
	var err error
	if p.page, err = b.Open(ctx, options); err != nil {
		p.media.close()
		return nil, err
	}
	p.media.page, p.clock = p.page, newClock(p.page)
	if err = p.load(ctx, c); err == nil {
		err = p.start(ctx)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// begin shows frame 0 and starts the stream.
func (p *Player) start(ctx context.Context) error {
	if err := p.frames.start(ctx, p.clock.world); err != nil {
		return err
	}
	if _, err := p.runFrame(ctx, 0, drawing); err != nil {
		return err
	}
	if p.stream == nil {
		return p.frames.stop(ctx)
	}
	late := fault.Transientf("the stream of the tab did not start within %s", p.o.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, p.o.Timeout, late)
	defer cancel()
	if err := p.stream.start(ctx); err != nil {
		return p.cause(ctx, err)
	}
	return nil
}

// Close closes the page.
func (p *Player) Close() {
	if p.stream != nil {
		p.stream.close()
	}
	// The page may be in an endless loop; then it goes with the browser.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p.page.Close(ctx)
	p.media.close()
}

// Missing returns what the page could not load.
func (p *Player) Missing() []browser.Asset { return p.page.Missing() }

// Play goes to frame from, in the seek mode, and hands count frames to emit, in order. It stops at
// the first error, also of emit.
func (p *Player) Play(ctx context.Context, from, count int64, mode job.SeekMode, emit func(Frame) error) error {
	if p.stream != nil {
		return p.playStream(ctx, from, count, mode, emit)
	}
	if err := p.seek(ctx, from, mode); err != nil {
		return err
	}
	r := newRepeatPredictor(p)
	for n := from; n < from+count; n++ {
		before, out := p.last, picture
		if r.likely() {
			out = change
		}
		png, err := p.runFrame(ctx, n, out)
		if err != nil {
			return err
		}
		frame := Frame{Index: n, PNG: png, Repeated: bytes.Equal(png, before)}
		if frame.Repeated {
			frame.PNG, p.last = before, before
		}
		if err := emit(frame); err != nil {
			return err
		}
		if err := r.record(ctx, frame.Repeated); err != nil {
			return err
		}
	}
	return nil
}

// Draw draws so many frames and captures none: what a page costs in itself.
func (p *Player) Draw(ctx context.Context, count int64) error {
	return p.replay(ctx, count, drawing)
}

// seek brings the page to where frame n is to be shown.
func (p *Player) seek(ctx context.Context, n int64, mode job.SeekMode) error {
	last := n
	if mode == job.SeekDirect {
		last = min(1, n)
	}
	return p.replay(ctx, last, nothing)
}

// replay shows the frames before frame last, with so much left behind of each.
func (p *Player) replay(ctx context.Context, last int64, out output) error {
	if p.next >= last {
		return nil
	}
	if p.stream == nil {
		if err := p.frames.start(ctx, p.clock.world); err != nil {
			return err
		}
	}
	p.last = nil
	for p.next < last {
		if p.next == last-1 {
			// A frame that is not drawn leaves work behind for the next one, which would then show the
			// page as it was before.
			out = drawing
		}
		if _, err := p.runFrame(ctx, p.next, out); err != nil {
			return err
		}
	}
	if p.stream == nil {
		return p.frames.stop(ctx)
	}
	return nil
}
