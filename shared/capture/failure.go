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

const (
	// maxAnswer limits how long a page that uses no CPU time may take to answer.
	maxAnswer = 5 * time.Second
	// loopCPU is the least CPU time per second that an endless loop uses on a busy machine.
	loopCPU = 20 * time.Millisecond
)

// timeoutError returns why frame n was not done in time: the page waits for a response, its scripts do not end, or
// Chromium hangs.
func (p *Player) timeoutError(n int64, seeking bool) error {
	late := fmt.Sprintf("frame %d was not done after %s", n, p.o.Timeout)
	if err := p.page.S3Stalled(); err != nil {
		return fmt.Errorf("%s: %w", late, err)
	}
	if pending := p.page.Pending(); len(pending) > 0 {
		return fault.Userf("%s: no response from %s; fix the page or use a longer --timeout",
			late, strings.Join(pending, ", "))
	}
	before := p.page.CPUTime()
	idle := p.responds(time.Second)
	looping := p.page.CPUTime()-before >= loopCPU
	if !idle && !looping {
		idle = p.responds(maxAnswer) // the machine may be busy
	}
	switch {
	case idle && seeking:
		return fault.Userf("%s: the promise of window.helios.seek is pending; fix the page or use a longer --timeout", late)
	case idle:
		return fault.Transientf("%s, though the page is idle", late)
	case !looping:
		return fault.Transientf("%s: Chromium hangs", late)
	default:
		return fault.Userf("%s; look for an endless loop in the page, or use a longer --timeout", late)
	}
}

// responds reports whether the page's process evaluates an expression within a time.
func (p *Player) responds(limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return p.clock.world.Evaluate(ctx, "0", nil) == nil
}

// watchNavigation records when the page navigates away.
func (p *Player) watchNavigation() {
	isMain := func(frame cdp.FrameID) bool { return frame == p.page.MainFrame() }
	browser.On(p.page.Session, page.FrameStartedNavigating, func(e page.EventFrameStartedNavigating) {
		if isMain(e.FrameID) {
			p.navigating.Store(&e.URL)
		}
	})
	browser.On(p.page.Session, page.FrameNavigated, func(e page.EventFrameNavigated) {
		if isMain(e.Frame.ID) {
			p.navigatedTo.CompareAndSwap(nil, &e.Frame.URL)
		}
	})
}

func navigationError(url string) error {
	return fault.Userf("the page navigated to %s; a composition has to stay on one page", url)
}

// cause returns the known reason for the error of a call, or else the error itself.
func (p *Player) cause(ctx context.Context, err error) error {
	if failure := p.page.TransientError(); failure != nil {
		return failure
	}
	if url := p.navigatedTo.Load(); url != nil {
		return navigationError(*url)
	}
	cause := context.Cause(ctx)
	if cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return err
}

// pageError returns what went wrong in the page so far: a crash, an exception, or a missing asset.
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
	if target := p.navigating.Load(); target != nil {
		url, _ := browser.AssetName(*target)
		if slices.ContainsFunc(missing, func(a browser.Asset) bool { return a.URL == url }) {
			return navigationError(*target)
		}
	}
	if len(missing) > 0 {
		return MissingError(missing)
	}
	return nil
}

// MissingError returns an error that names the assets that did not load.
func MissingError(missing []browser.Asset) error {
	list := make([]string, len(missing))
	for i, a := range missing {
		list[i] = fmt.Sprintf("%s %s (%s)", strings.ToLower(a.Kind), a.URL, a.Problem)
	}
	return fault.Userf("missing %s; add it, or ignore it with --allow-missing-assets", strings.Join(list, ", "))
}
