// Package capture plays a composition under a virtual clock and captures its frames.
//
// # Time
//
// Chromium has two clocks, and a [Player] moves both. Virtual time drives timers, Date and performance.now(). The
// frame time of HeadlessExperimental.beginFrame drives CSS animations, Web Animations and requestAnimationFrame.
//
// Both clocks are stopped at zero while the page loads: parsing, scripts, requests and fonts take no time. After
// that, a request takes 10 ms of the page's time, however long the network takes. So frame n is the same on every
// machine and in every partition.
//
// # Seek modes
//
// A page whose frames depend on earlier ones, such as a simulation, has to run all frames before the first one that
// is captured: [job.SeekReplay]. A page whose frames depend only on the time can move there at once:
// [job.SeekDirect]. [Seekable] finds out which.
//
// # Capture modes
//
// [job.CaptureScreenshot] takes the PNG that beginFrame returns. [job.CaptureStream] receives a stream of the tab,
// the raw output of Chromium's compositor, and verifies which frame of the composition each frame of the stream
// shows.
//
// # Files
//
//   - load.go: loading a page; prelude.js: the script that runs before the page's own scripts
//   - clock.go: virtual time
//   - frame.go, counter.go, damage.go: running and drawing one frame
//   - stream.go, stream.js: starting the stream; ring.go, ring.js: passing frames from Chromium to Helios; arrival.go:
//     matching them to the frames of the composition; streamframes.go: the pipeline of [Player.Play]; i420.go:
//     screenshots in the stream's pixel format
//   - media.go, mediaserver.go, media.js: <audio> and <video> elements
//   - inspect.go, fastforward.go, fastforward.js: what a page contains
//   - failure.go: why a page failed
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

// Options are the settings of a [Player].
type Options struct {
	// Width and Height are the size of the viewport in CSS pixels.
	Width, Height int
	// Transparent gives the page a transparent background instead of a white one.
	Transparent bool
	// FPS is the frame rate.
	FPS job.Rate
	// Seed seeds Math.random and crypto.getRandomValues.
	Seed uint32
	// Props is the JSON value of window.__HELIOS_PROPS__, which is undefined if Props is nil.
	Props json.RawMessage
	// AllowMissing ignores assets that do not load.
	AllowMissing bool
	// Timeout is the wall-clock limit for loading the page, and for each frame.
	Timeout time.Duration
	// Capture is the capture mode. Default: [job.CaptureScreenshot].
	Capture job.Capture
	// Scale is the device pixel ratio of the browser. Default: 1.
	Scale float64

	fastForward bool // the page may run without frames of Chromium; see fastforward.go
}

func (o Options) scale() float64 { return cmp.Or(o.Scale, 1) }

// Frame is one frame of a composition.
type Frame struct {
	// Index counts from the start of the composition.
	Index int64
	// PNG is the frame in screenshot mode. A repeated frame shares the slice of the previous one.
	PNG []byte
	// Pixels is the frame in stream mode: I420, BT.601, limited range. It is valid until Play's emit returns.
	Pixels []byte
	// Repeated reports that the frame equals the previous one.
	Repeated bool
}

// Data returns Pixels, or PNG in screenshot mode.
func (f Frame) Data() []byte {
	if f.Pixels != nil {
		return f.Pixels
	}
	return f.PNG
}

// Player is a loaded composition. It plays forward only. It must not be used by several goroutines at once.
type Player struct {
	page        *browser.Page
	main        browser.World // the page's own scripts
	clock       *clock
	o           Options
	seeks       bool   // the page has window.helios.seek
	next        int64  // the frame to run next
	last        []byte // the previous screenshot; nil if the previous frame has none
	frames      frameCounter
	media       *mediaServer
	navigating  atomic.Pointer[string] // the URL to which the page last started to navigate
	navigatedTo atomic.Pointer[string] // the first URL to which it navigated away
	stream      *stream                // nil in screenshot mode
}

// Open loads a composition in a new page of a browser and runs frame 0. It waits for the load event, fonts, images, the
// promise in window.helios.ready, and the responses to all requests.
//
// A problem of the page is a fault.User.
func Open(ctx context.Context, b *browser.Browser, c Composition, o Options) (*Player, error) {
	for try := 0; ; try++ {
		p, err := openOnce(ctx, b, c, o)
		if !errors.Is(err, errBlank) || try == maxBlank {
			return p, err
		}
	}
}

// maxBlank limits how often Open retries because Chromium does not draw the page, which is rare.
const maxBlank = 2

func openOnce(ctx context.Context, b *browser.Browser, c Composition, o Options) (*Player, error) {
	p := &Player{o: o, media: newMediaServer(b)}
	options := browser.PageOptions{
		Width: o.Width, Height: o.Height, Transparent: o.Transparent,
		Script: p.media.prelude(o) + prelude(o), BlockMedia: true,
	}
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

// start runs frame 0 and starts the stream.
func (p *Player) start(ctx context.Context) error {
	if err := p.frames.start(ctx, p.clock.world); err != nil {
		return err
	}
	if _, err := p.runFrame(ctx, 0, outputDrawn); err != nil {
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
	// A page in an endless loop does not answer. It ends with the browser.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p.page.Close(ctx)
	p.media.close()
}

// Missing returns the assets that did not load.
func (p *Player) Missing() []browser.Asset { return p.page.Missing() }

// Play seeks to frame from and calls emit with count frames, in order. It stops at the first error, including one of
// emit.
func (p *Player) Play(ctx context.Context, from, count int64, mode job.SeekMode, emit func(Frame) error) error {
	if p.stream != nil {
		return p.playStream(ctx, from, count, mode, emit)
	}
	if err := p.seek(ctx, from, mode); err != nil {
		return err
	}
	r := newRepeatPredictor(p)
	for n := from; n < from+count; n++ {
		before, out := p.last, outputScreenshot
		if r.likely() {
			out = outputIfDamaged
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

// Draw runs and draws the frames before frame end without capturing them. Benchmarks measure the cost of a page with
// it.
func (p *Player) Draw(ctx context.Context, end int64) error {
	return p.replay(ctx, end, outputDrawn)
}

// seek brings the page to frame n, which runs next.
func (p *Player) seek(ctx context.Context, n int64, mode job.SeekMode) error {
	end := n
	if mode == job.SeekDirect {
		end = min(1, n)
	}
	return p.replay(ctx, end, outputNone)
}

// replay runs the frames before frame end.
func (p *Player) replay(ctx context.Context, end int64, out output) error {
	if p.next >= end {
		return nil
	}
	if p.stream == nil {
		if err := p.frames.start(ctx, p.clock.world); err != nil {
			return err
		}
	}
	p.last = nil
	for p.next < end {
		if p.next == end-1 {
			// If the last frame is not drawn, the next one shows an outdated page.
			out = outputDrawn
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
