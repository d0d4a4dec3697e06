package capture

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"helios/shared/job"
)

//go:embed fastforward.js
var fastForwardSource string

func fastForwardPrelude() string { return fmt.Sprintf("(%s)();", strings.TrimSpace(fastForwardSource)) }

// fastForwardWorld is the interface of fastforward.js, in the page's own world.
const fastForwardWorld = `window[Symbol.for("helios.fastForward")]`

const (
	// shortStride is the wall-clock time of a stride above which strides do not grow.
	shortStride = 100 * time.Millisecond
	// maxStride limits the frames of a stride. The page may start to listen for events of real frames at any time, and
	// only the start of a stride detects that.
	maxStride = 32
)

// fastForward runs the page, which is at frame 0, until the end of the given number of frames. Nothing is captured,
// so the page's scripts run without frames of Chromium, in strides of several frames per round trip. If the page
// listens for events that Chromium sends as part of a frame, such as the end of a CSS animation, Chromium runs each
// frame.
//
// fastForward does not report missing assets and exceptions. Rendering reports them.
func (p *Player) fastForward(ctx context.Context, fps job.Rate, frames int64) error {
	p.o.FPS = fps
	if err := p.main.Evaluate(ctx, fmt.Sprintf("%s.setRate(%d / %d)", mediaWorld, fps.Num, fps.Den), nil); err != nil {
		return err
	}
	stride := int64(1)
	for n := int64(1); n < frames; {
		var realFrames bool
		if err := p.main.Evaluate(ctx, fastForwardWorld+".anyNeedsFrames()", &realFrames); err != nil {
			return p.cause(ctx, err)
		}
		next := min(n+stride, frames)
		began := time.Now()
		if err := p.stride(ctx, n, next, frames, realFrames); err != nil {
			return err
		}
		if time.Since(began) < shortStride {
			stride = min(2*stride, maxStride)
		}
		n, p.next = next, next
	}
	return nil
}

// stride runs frame from and the following ones, up to but excluding frame to. The last stride runs until the end of
// the last frame. If realFrames is true, Chromium runs the frames.
func (p *Player) stride(ctx context.Context, from, to, frames int64, realFrames bool) error {
	if realFrames {
		if err := p.seek(ctx, to, job.SeekReplay); err != nil || to < frames {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	err := func() error {
		if !realFrames {
			start := fmt.Sprintf("%s.start(%d, %d, %d, %d)", fastForwardWorld, from, to, p.o.FPS.Num, p.o.FPS.Den)
			if err := p.main.Evaluate(ctx, start, nil); err != nil {
				return err
			}
		}
		last := frameTime(p.o.FPS, to-1)
		if to == frames {
			last = frameTime(p.o.FPS, to) - resolution
		}
		// Timers fire at whole milliseconds.
		if err := p.clock.advance(ctx, (last+999)/1000*1000); err != nil || realFrames {
			return err
		}
		return p.main.Evaluate(ctx, fastForwardWorld+".finish()", nil)
	}()
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return p.timeoutError(from, false)
	}
	return p.cause(ctx, err)
}
