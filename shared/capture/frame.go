package capture

import (
	"context"
	"errors"
	"fmt"
	"time"

	"helios/shared/fault"
)

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

// runFrame moves the page to frame n and draws it, and returns the picture if one was asked for. The frame that is shown
// already is only drawn again.
func (p *Player) runFrame(ctx context.Context, n int64, out output) (png []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	t := frameTime(p.o.FPS, n)
	seeking := false
	if n >= p.next {
		seeking, err = p.advanceTo(ctx, n, t, out)
	}
	switch {
	case err != nil:
	case n < p.next:
		png, err = p.screenshot(ctx, t)
	case out&damage != 0:
		png, err = p.screenshotIfDamaged(ctx, n, t)
	case out&shot != 0:
		png, err = p.screenshot(ctx, t)
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
		return nil, p.cause(ctx, fmt.Errorf("drawing frame %d: %w", n, err))
	}
	if err := p.pageError(); err != nil {
		return nil, err
	}
	p.next = max(p.next, n+1)
	if out&shot != 0 {
		p.last = png
	}
	return png, nil
}

// advanceTo brings the page to t, where frame n is due. The error may be that of the page's seek function.
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
	if err := p.main.Evaluate(ctx, fmt.Sprintf("window.helios.seek(%v)", p.o.FPS.Milliseconds(n)/1000), nil); err != nil {
		return true, err
	}
	return false, p.showVideoFrames(ctx, n, out, false)
}

// errBlank says that Chromium does not draw a page, and never will.
var errBlank = fault.Transientf("chromium does not draw the page")

// maxIdle is how long Chromium may answer without drawing frame 0.
const maxIdle = time.Second

// drawFrame lets the page's scripts drawFrame through frame n, at t, and reports whether anything was drawn anew.
func (p *Player) drawFrame(ctx context.Context, n int64, t microseconds, out output) (damaged bool, err error) {
	interval, began := p.interval(t, n), time.Now()
	d := drawnFrame{frame: n, began: now()}
	next := p.frames.expect(ctx) // together with the frame, in one round trip
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
		if p.stream == nil || !p.stream.started || out&drawing == 0 {
			return damaged, nil
		}
		return damaged, p.stream.frameDrawn(ctx, d, damaged)
	}
}

// interval returns the interval of beginFrame for frame n, at t, in milliseconds. Animated images change in steps of it.
func (p *Player) interval(t microseconds, n int64) float64 {
	if p.stream == nil || !p.stream.started || p.stream.usesScreenshots() {
		return p.o.FPS.Milliseconds(1)
	}
	return (p.stream.eventTime(n) - t).milliseconds()
}

// screenshot takes the picture of the frame at t. Asked again for the same time, Chromium runs no scripts.
func (p *Player) screenshot(ctx context.Context, t microseconds) ([]byte, error) {
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
