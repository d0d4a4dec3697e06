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

// fastForwardWorld is what fastforward.js offers, in the page's own world.
const fastForwardWorld = `window[Symbol.for("helios.fastForward")]`

const (
	// brisk is how long a stride may take before strides grow no more.
	brisk = 100 * time.Millisecond
	// longest is how many frames a stride has at most: a page may begin at any time to wait for what only frames tell.
	longest = 32
)

// fastForward lets the page, which stands at frame 0, live up to the end of so many frames. Nobody sees it then, so
// that its scripts are run without frames: time goes on in strides, each one round trip. Only where the page
// waits for what Chromium tells as part of a frame, such as the end of a CSS animation, frames are gone through one by
// one.
//
// What is missing or thrown on the way is for those to tell who draw the frames.
func (p *Player) fastForward(ctx context.Context, fps job.Rate, frames int64) error {
	p.o.FPS = fps
	if err := p.main.Evaluate(ctx, fmt.Sprintf("%s.setRate(%d / %d)", mediaWorld, fps.Num, fps.Den), nil); err != nil {
		return err
	}
	stride := int64(1)
	for n := int64(1); n < frames; {
		var framed bool
		if err := p.main.Evaluate(ctx, fastForwardWorld+".anyFramed()", &framed); err != nil {
			return p.cause(ctx, err)
		}
		next := min(n+stride, frames)
		began := time.Now()
		if err := p.stride(ctx, n, next, frames, framed); err != nil {
			return err
		}
		if time.Since(began) < brisk {
			stride = min(2*stride, longest)
		}
		n, p.next = next, next
	}
	return nil
}

// stride lets the page live through the frames from one to another, and where that is the last, up to its end.
func (p *Player) stride(ctx context.Context, from, to, frames int64, framed bool) error {
	if framed {
		if err := p.seek(ctx, to, job.SeekReplay); err != nil || to < frames {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	err := func() error {
		if !framed {
			if err := p.main.Evaluate(ctx, fmt.Sprintf("%s.begin(%d, %d, %d, %d)", fastForwardWorld, from, to, p.o.FPS.Num, p.o.FPS.Den), nil); err != nil {
				return err
			}
		}
		last := frameTime(p.o.FPS, to-1)
		if to == frames {
			last = frameTime(p.o.FPS, to) - resolution
		}
		// Timers count whole milliseconds.
		if err := p.clock.advance(ctx, (last+999)/1000*1000); err != nil || framed {
			return err
		}
		return p.main.Evaluate(ctx, fastForwardWorld+".end()", nil)
	}()
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return p.timeoutError(from, false)
	}
	return p.cause(ctx, err)
}
