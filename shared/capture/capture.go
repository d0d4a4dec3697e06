// Package capture turns a composition into frames: it plays the page under a virtual clock and takes each
// picture at its exact time.
//
// Two clocks of Chromium are moved together. The engine's virtual time moves timers, Date and
// performance.now(); the frame time of beginFrame moves CSS, Web Animations and requestAnimationFrame.
// Everything that the page does before frame 0 (parsing, scripts, fetches, fonts) happens while both stand
// still at zero, however long it takes. A request that a frame makes is answered 10 ms later in the page's
// time, however long the network takes.
//
// So frame n is the same picture on every machine and in every partition. A page with history, such as a
// simulation that moves on with every call, has to be stepped through all earlier frames; a page that is a
// pure function of time can jump. [Inspect] finds out which.
package capture

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"

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

	leaps bool // the page may be lived through without frames, see leap.go
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

// maxBlank is how many more pages are opened if Chromium never draws one, as happened to 5 of 780.
const maxBlank = 2

func openOnce(ctx context.Context, b *browser.Browser, c Composition, o Options) (*Player, error) {
	p := &Player{o: o, media: newMedia(b)}
	options := browser.PageOptions{Width: o.Width, Height: o.Height, Transparent: o.Transparent, Script: p.media.prelude(o) + prelude(o), MuteMedia: true}
	if o.leaps {
		options.Script = leapPrelude() + options.Script
	}
	if o.Capture == job.CaptureStream {
		p.stream = newStream(p, b.Profile())
		options.Isolated, options.Worker = p.stream.script(), &p.stream.worker
	}
	var err error
	if p.page, err = b.Open(ctx, options); err != nil {
		p.media.close()
		return nil, err
	}
	p.media.page, p.clock = p.page, newClock(p.page)
	if err = p.load(ctx, c); err == nil {
		err = p.begin(ctx)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// begin shows frame 0 and starts the stream.
func (p *Player) begin(ctx context.Context) error {
	if err := p.frames.start(ctx, p.clock.world); err != nil {
		return err
	}
	if _, err := p.show(ctx, 0, drawing); err != nil {
		return err
	}
	if p.stream == nil {
		return p.frames.stop(ctx)
	}
	late := fault.Transientf("the stream of the tab did not start within %s", p.o.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, p.o.Timeout, late)
	defer cancel()
	if err := p.stream.start(ctx); err != nil {
		return p.explain(ctx, err)
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

// Play goes to frame from, in the way that start says, and hands count frames to emit, in order. It stops at
// the first error, also of emit.
func (p *Player) Play(ctx context.Context, from, count int64, start job.Start, emit func(Frame) error) error {
	if p.stream != nil {
		return p.playStream(ctx, from, count, start, emit)
	}
	if err := p.goTo(ctx, from, start); err != nil {
		return err
	}
	r := newRests(p)
	for n := from; n < from+count; n++ {
		before, out := p.last, picture
		if r.likely() {
			out = change
		}
		png, err := p.show(ctx, n, out)
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
		if err := r.note(ctx, frame.Repeated); err != nil {
			return err
		}
	}
	return nil
}

// Draw draws so many frames and captures none: what a page costs in itself.
func (p *Player) Draw(ctx context.Context, count int64) error {
	return p.goThrough(ctx, count, drawing)
}

// goTo brings the page to where frame n is to be shown.
func (p *Player) goTo(ctx context.Context, n int64, start job.Start) error {
	last := n
	if start == job.StartJump {
		last = min(1, n)
	}
	return p.goThrough(ctx, last, nothing)
}

// goThrough shows the frames before frame last, with so much left behind of each.
func (p *Player) goThrough(ctx context.Context, last int64, out output) error {
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
		if _, err := p.show(ctx, p.next, out); err != nil {
			return err
		}
	}
	if p.stream == nil {
		return p.frames.stop(ctx)
	}
	return nil
}

// output says what a frame shall leave behind, when its scripts, styles and layout have run.
type output int

const (
	nothing output = 0
	drawing output = 1 // it is drawn
	shot    output = 2 // a picture of what was drawn is taken
	damage  output = 4 // the picture is that of the frame before if nothing changed

	picture = drawing | shot
	change  = picture | damage
)

// show moves the page to frame n and draws it, and returns the picture if one was asked for. The frame that is shown
// already is only drawn again.
func (p *Player) show(ctx context.Context, n int64, out output) (png []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	t := frameTime(p.o.FPS, n)
	seeking := false
	if n >= p.next {
		seeking, err = p.prepare(ctx, n, t, out)
	}
	switch {
	case err != nil:
	case n < p.next:
		png, err = p.take(ctx, t)
	case out&damage != 0:
		png, err = p.changed(ctx, n, t)
	case out&shot != 0:
		png, err = p.take(ctx, t)
	default:
		_, err = p.live(ctx, n, t, out)
	}
	if errors.Is(err, errBlank) {
		return nil, err
	}
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, p.overdue(n, seeking)
	}
	if err != nil {
		return nil, p.explain(ctx, fmt.Errorf("drawing frame %d: %w", n, err))
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	p.next = max(p.next, n+1)
	if out&shot != 0 {
		p.last = png
	}
	return png, nil
}

// prepare brings the page to t, where frame n is due. The error may be that of the page's seek function.
func (p *Player) prepare(ctx context.Context, n int64, t microseconds, out output) (seeking bool, err error) {
	if !p.seeks {
		moved, err := p.clock.liveUntil(ctx, t)
		if err != nil {
			return false, err
		}
		return false, p.showMedia(ctx, n, out, moved)
	}
	if err := p.clock.advance(ctx, t); err != nil {
		return false, err
	}
	if err := p.main.Evaluate(ctx, fmt.Sprintf("window.helios.seek(%v)", p.o.FPS.Milliseconds(n)/1000), nil); err != nil {
		return true, err
	}
	return false, p.showMedia(ctx, n, out, false)
}

// errBlank says that Chromium does not draw a page, and never will.
var errBlank = fault.Transientf("chromium does not draw the page")

// maxIdle is how long Chromium may answer without drawing frame 0.
const maxIdle = time.Second

// live lets the page's scripts live through frame n, at t, and reports whether anything was drawn anew.
func (p *Player) live(ctx context.Context, n int64, t microseconds, out output) (damaged bool, err error) {
	interval, began := p.interval(t, n), time.Now()
	d := drawn{frame: n, began: now()}
	next := p.frames.next(ctx) // together with the frame, in one round trip
	for {
		sent := now()
		r, err := p.clock.beginFrame(ctx, t, interval, out)
		if err != nil {
			return false, err
		}
		if r.HasDamage {
			damaged, d.sent = true, sent
		}
		d.done = now()
		dropped, err := p.frames.dropped(ctx, next)
		switch {
		case err != nil:
			return false, err
		case dropped && n == 0 && time.Since(began) > maxIdle:
			return false, errBlank
		case dropped:
			continue
		}
		if p.stream == nil || p.stream.ring == nil || out&drawing == 0 {
			return damaged, nil
		}
		return damaged, p.stream.drew(ctx, d, damaged)
	}
}

// interval returns the interval of beginFrame for frame n, at t, in milliseconds. Animated images change in steps of it.
func (p *Player) interval(t microseconds, n int64) float64 {
	if p.stream == nil || p.stream.ring == nil || p.page.Animated() {
		return p.o.FPS.Milliseconds(1)
	}
	return (p.stream.eventTime(n) - t).milliseconds()
}

// take takes the picture of the frame at t. Asked again for the same time, Chromium runs no scripts.
func (p *Player) take(ctx context.Context, t microseconds) ([]byte, error) {
	// The first picture of a page may not be ready when its frame is, such as that of one in a hundred pages
	// with WebGL.
	for range 2 {
		r, err := p.clock.beginFrame(ctx, t, p.o.FPS.Milliseconds(1), picture)
		if err != nil || len(r.ScreenshotData) > 0 {
			return r.ScreenshotData, err
		}
	}
	return nil, fault.Transientf("chromium gave no picture")
}

// overdue says why a frame is not done in time: the page waits for an answer, or its scripts do not end, or it
// is Chromium that does not get on.
func (p *Player) overdue(n int64, seeking bool) error {
	late := fmt.Sprintf("frame %d was not done after %s", n, p.o.Timeout)
	if err := p.page.Starved(); err != nil {
		return fmt.Errorf("%s: %w", late, err)
	}
	if pending := p.page.Pending(); len(pending) > 0 {
		return fault.Userf("%s: no answer from %s; mend the page or give a longer --timeout", late, strings.Join(pending, ", "))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	before := p.page.CPU()
	switch idle := p.clock.world.Evaluate(ctx, "0", nil) == nil; {
	case idle && seeking:
		return fault.Userf("%s: the promise of window.helios.seek is still open; mend the page or give a longer --timeout", late)
	case idle:
		return fault.Transientf("%s, though the page is idle", late)
	case p.page.CPU()-before < loopCPU:
		return fault.Transientf("%s: Chromium stands still", late)
	default:
		return fault.Userf("%s; look for an endless loop in the page, or give a longer --timeout", late)
	}
}

// loopCPU is the least processor time that an endless loop takes in a second, on however busy a machine.
const loopCPU = 20 * time.Millisecond

// stay notes from now on when the page goes elsewhere.
func (p *Player) stay() {
	itself := func(frame cdp.FrameID) bool { return frame == p.page.Outermost() }
	browser.On(p.page.Session, page.FrameStartedNavigating, func(e page.EventFrameStartedNavigating) {
		if itself(e.FrameID) {
			p.going.Store(&e.URL)
		}
	})
	browser.On(p.page.Session, page.FrameNavigated, func(e page.EventFrameNavigated) {
		if itself(e.Frame.ID) {
			p.left.CompareAndSwap(nil, &e.Frame.URL)
		}
	})
}

func leftError(url string) error {
	return fault.Userf("the page went to %s; a composition has to stay on one page", url)
}

// explain prefers the reason for which a call failed, as far as it is known, to the error of the call.
func (p *Player) explain(ctx context.Context, err error) error {
	if failure := p.page.Failure(); failure != nil {
		return failure
	}
	if left := p.left.Load(); left != nil {
		return leftError(*left)
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return err
}

// check turns what happened in the page since the last look into an error.
func (p *Player) check() error {
	if err := p.page.Failure(); err != nil {
		return err
	}
	if err := p.page.Exception(); err != nil {
		return err
	}
	if p.o.AllowMissing {
		return nil
	}
	missing := p.page.Missing()
	if going := p.going.Load(); going != nil {
		if url, _ := browser.Locate(*going); slices.ContainsFunc(missing, func(a browser.Asset) bool { return a.URL == url }) {
			return leftError(*going)
		}
	}
	if len(missing) > 0 {
		return MissingError(missing)
	}
	return nil
}
