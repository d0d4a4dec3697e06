package capture

import (
	"context"
	"errors"
	"fmt"
	"time"

	"helios/shared/fault"
)

// output is what a frame produces after its scripts, styles and layout have run.
type output int

const (
	outputNone       output = iota
	outputDrawn             // a drawn frame
	outputIfDamaged         // a screenshot, or the previous one if Chromium drew nothing new
	outputScreenshot        // a screenshot
)

// runFrame moves the page to frame n, runs it, and returns its screenshot if out requires one. A frame that already
// ran, such as frame 0 after Open, is only drawn again.
func (p *Player) runFrame(ctx context.Context, n int64, out output) (png []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	t := frameTime(p.o.FPS, n)
	seeking, ran := false, n < p.next
	if !ran {
		seeking, err = p.advanceTo(ctx, n, t, out)
	}
	switch {
	case err != nil:
	case ran || out == outputScreenshot:
		png, err = p.screenshot(ctx, t)
	case out == outputIfDamaged:
		png, err = p.screenshotIfDamaged(ctx, n, t)
	default:
		_, err = p.drawFrame(ctx, n, t, out)
	}
	if errors.Is(err, errBlank) {
		return nil, err
	}
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, p.timeoutError(n, seeking)
	}
	if err != nil {
		return nil, p.cause(ctx, fmt.Errorf("running frame %d: %w", n, err))
	}
	if err := p.pageError(); err != nil {
		return nil, err
	}
	p.next = max(p.next, n+1)
	if out >= outputIfDamaged {
		p.last = png
	}
	return png, nil
}

// advanceTo moves the page to t, the time of frame n. seeking reports whether the error is that of window.helios.seek.
func (p *Player) advanceTo(ctx context.Context, n int64, t microseconds, out output) (seeking bool, err error) {
	p.clock.next = frameTime(p.o.FPS, n+1)
	if !p.seeks {
		moved, err := p.clock.runUntil(ctx, t)
		if err != nil {
			return false, err
		}
		return false, p.showVideoFrames(ctx, n, out, moved)
	}
	if err := p.clock.advance(ctx, t); err != nil {
		return false, err
	}
	seek := fmt.Sprintf("window.helios.seek(%v)", p.o.FPS.Milliseconds(n)/1000)
	if err := p.main.Evaluate(ctx, seek, nil); err != nil {
		return true, err
	}
	return false, p.showVideoFrames(ctx, n, out, false)
}

// errBlank is the error if Chromium will never draw a page.
var errBlank = fault.Transientf("chromium does not draw the page")

// maxIdle limits how long Chromium may answer beginFrame without running frame 0.
const maxIdle = time.Second

// drawFrame runs the page's scripts for frame n, at t, and reports whether Chromium drew anything new.
func (p *Player) drawFrame(ctx context.Context, n int64, t microseconds, out output) (damaged bool, err error) {
	interval, began := p.interval(t, n), time.Now()
	d := drawnFrame{frame: n, began: now()}
	ran := p.frames.expect(ctx) // in the round trip of the frame
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
		dropped, err := p.frames.dropped(ctx, ran)
		switch {
		case err != nil:
			return false, err
		case dropped && n == 0 && time.Since(began) > maxIdle:
			return false, errBlank
		case dropped:
			continue
		}
		if p.stream == nil || !p.stream.started || out == outputNone {
			return damaged, nil
		}
		return damaged, p.stream.frameDrawn(ctx, d, damaged)
	}
}

// interval returns the interval of beginFrame for frame n, at t, in milliseconds. Animated images advance in steps of
// the interval. In a stream, it determines the event time.
func (p *Player) interval(t microseconds, n int64) float64 {
	if p.stream == nil || !p.stream.started || p.stream.usesScreenshots() {
		return p.o.FPS.Milliseconds(1)
	}
	return (p.stream.eventTime(n) - t).milliseconds()
}

// screenshot takes the screenshot of the frame at t. If the frame already ran, Chromium does not run its scripts again.
func (p *Player) screenshot(ctx context.Context, t microseconds) ([]byte, error) {
	// The first screenshot of a page is sometimes not ready. This happened on one of 100 pages with WebGL.
	for range 2 {
		r, err := p.clock.beginFrame(ctx, t, p.o.FPS.Milliseconds(1), outputScreenshot)
		if err != nil || len(r.ScreenshotData) > 0 {
			return r.ScreenshotData, err
		}
	}
	return nil, fault.Transientf("chromium returned no screenshot")
}
