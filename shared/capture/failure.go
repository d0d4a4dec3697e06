package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"

	"helios/shared/browser"
	"helios/shared/fault"
)

// timeoutError says why a frame is not done in time: the page waits for an answer, or its scripts do not end, or it
// is Chromium that does not get on.
func (p *Player) timeoutError(n int64, seeking bool) error {
	late := fmt.Sprintf("frame %d was not done after %s", n, p.o.Timeout)
	if err := p.page.S3Stalled(); err != nil {
		return fmt.Errorf("%s: %w", late, err)
	}
	if pending := p.page.Pending(); len(pending) > 0 {
		return fault.Userf("%s: no answer from %s; mend the page or give a longer --timeout", late, strings.Join(pending, ", "))
	}
	before := p.page.CPUTime()
	idle := p.responds(time.Second)
	looping := p.page.CPUTime()-before >= loopCPU
	if !idle && !looping {
		idle = p.responds(maxAnswer) // the machine may be busy
	}
	switch {
	case idle && seeking:
		return fault.Userf("%s: the promise of window.helios.seek is still open; mend the page or give a longer --timeout", late)
	case idle:
		return fault.Transientf("%s, though the page is idle", late)
	case !looping:
		return fault.Transientf("%s: Chromium stands still", late)
	default:
		return fault.Userf("%s; look for an endless loop in the page, or give a longer --timeout", late)
	}
}

// responds reports whether the page's process evaluates something within a time.
func (p *Player) responds(limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return p.clock.world.Evaluate(ctx, "0", nil) == nil
}

// maxAnswer is how long a page that uses no processor time may take to answer.
const maxAnswer = 5 * time.Second

// loopCPU is the least processor time that an endless loop takes in a second, on however busy a machine.
const loopCPU = 20 * time.Millisecond

// stay notes from now on when the page goes elsewhere.
func (p *Player) watchNavigation() {
	itself := func(frame cdp.FrameID) bool { return frame == p.page.MainFrame() }
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
func (p *Player) cause(ctx context.Context, err error) error {
	if failure := p.page.TransientError(); failure != nil {
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
func (p *Player) pageError() error {
	if err := p.page.TransientError(); err != nil {
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
		if url, _ := browser.AssetName(*going); slices.ContainsFunc(missing, func(a browser.Asset) bool { return a.URL == url }) {
			return leftError(*going)
		}
	}
	if len(missing) > 0 {
		return MissingError(missing)
	}
	return nil
}
