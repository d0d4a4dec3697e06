package capture

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/headlessexperimental"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

// Epoch is what Date.now() says at frame 0, in seconds: 2024-01-01T00:00:00Z.
const Epoch = 1704067200

// microseconds is a time since frame 0, or since Chromium's own zero.
type microseconds int64

// resolution is the grain of the times that a page can read. Chromium rounds any other time up or down at
// random, differently in every process, and moves animations by the rounded time; so frame times are
// multiples of it.
const resolution microseconds = 100

// frameTime is n/fps, rounded up to a multiple of the resolution: less than 0.1 ms late and never early, so
// that what a page does at n/fps is done, and floor(time*fps) is n. It is computed by multiplication, so that
// errors do not add up.
func frameTime(fps job.Rate, n int64) microseconds {
	ticks := fps.At(n)
	ticks.Mul(ticks, big.NewRat(int64(1_000_000/resolution), 1))
	up, rest := new(big.Int).DivMod(ticks.Num(), ticks.Denom(), new(big.Int))
	return (microseconds(up.Int64()) + microseconds(rest.Sign())) * resolution
}

// milliseconds is t as the protocol wants it. The half microsecond keeps Chromium, which cuts off the
// fraction, from losing a whole one to binary floating point.
func (t microseconds) milliseconds() float64 { return (float64(t) + 0.5) / 1000 }

// clock moves the page's virtual time and the time of its frames as one.
//
// How Chromium's virtual time behaves, as measured with version 156:
//   - The policy "pause" puts a fence at the current time, and no task of the page runs.
//   - "pauseIfNetworkFetchesPending" lets tasks run, but no timer while a request is open. Without a
//     budget, the fence of an earlier pause stays: time stands still while the page loads.
//   - With a budget, time runs to the end of it exactly, and a request takes 10 ms.
//   - "advance" lifts the fence, and time leaps at once to the next timer that waits behind it. So it is
//     of no use once a page was loaded.
type clock struct {
	page    *browser.Page
	world   browser.World // where our own scripts run; of the page that was loaded last
	origin  microseconds  // frame 0, in Chromium's ticks
	now     microseconds  // of the virtual time, since the origin
	next    microseconds  // to which the next budget will go, if that is known
	marked  microseconds  // the time that has a marker
	expired chan struct{}
}

func newClock(page *browser.Page) *clock {
	c := &clock{page: page, expired: make(chan struct{}, 1)}
	browser.On(page.Session, emulation.VirtualTimeBudgetExpired, func(emulation.EventVirtualTimeBudgetExpired) {
		select {
		case c.expired <- struct{}{}:
		default:
		}
	})
	return c
}

// freeze stops time at zero. What is loaded from now on loads at time zero.
func (c *clock) freeze(ctx context.Context) error {
	base, err := c.policy(ctx, emulation.SetVirtualTimePolicyParams{
		Policy: emulation.VirtualTimePolicyPause, InitialVirtualTime: cdp.TimeSinceEpoch(Epoch),
	})
	if err != nil {
		return err
	}
	// The origin itself has to be a multiple of the resolution.
	c.origin = microseconds(math.Round(base * 1000))
	if rest := c.origin % resolution; rest != 0 {
		if err := c.grant(ctx, emulation.VirtualTimePolicyAdvance, resolution-rest); err != nil {
			return err
		}
		c.origin += resolution - rest
	}
	for _, p := range []emulation.VirtualTimePolicy{emulation.VirtualTimePolicyPause, emulation.VirtualTimePolicyPauseIfNetworkFetchesPending} {
		if _, err := c.policy(ctx, emulation.SetVirtualTimePolicyParams{Policy: p}); err != nil {
			return err
		}
	}
	return nil
}

// advance lets the page live until t, and settle.
func (c *clock) advance(ctx context.Context, t microseconds) error {
	moved, err := c.runUntil(ctx, t)
	if err != nil || !moved {
		return err
	}
	return c.settle(ctx)
}

// runUntil has time go on to t, if it is not there yet. Once it has moved, no task of the page runs until the clock
// stands.
func (c *clock) runUntil(ctx context.Context, t microseconds) (moved bool, err error) {
	if t <= c.now {
		return false, nil
	}
	if c.marked != t {
		c.world.Start(ctx, c.marker(t))
	}
	if err := c.grant(ctx, emulation.VirtualTimePolicyPauseIfNetworkFetchesPending, t-c.now); err != nil {
		return false, err
	}
	c.now = t
	return true, nil
}

// settle runs what the page wants to do now, time standing still. A timer that is due at the very moment at
// which a budget ends may or may not have run; the one that is set here runs after it.
//
// Timers wait for the answers to the requests that are open.
func (c *clock) settle(ctx context.Context) error {
	return c.evaluatePaused(ctx, c.world, c.marker(c.next)+settled, nil)
}

// evaluatePaused lets tasks run again, time standing still, and evaluates an expression meanwhile.
func (c *clock) evaluatePaused(ctx context.Context, w browser.World, expression string, result any) error {
	policy := browser.Send(ctx, c.page.Session, emulation.SetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{
		Policy: emulation.VirtualTimePolicyPauseIfNetworkFetchesPending,
	})
	if err := w.Evaluate(ctx, expression, result); err != nil {
		return err
	}
	if _, err := policy.Wait(ctx); err != nil {
		return fmt.Errorf("moving the page's clock: %w", err)
	}
	return nil
}

const settled = "new Promise(done => setTimeout(done))"

// mark notes that a timer is set for the microsecond after t, and returns the delay for it in milliseconds.
//
// While time stands, Chromium notes the time of the next timer whenever the page is idle, and the next budget begins with
// a jump to the time noted last, even if a timer for an earlier time was set since then. A timer of ours that was set before
// time reached t bounds the time that is noted while it stands at t, and so that jump, to one microsecond. It has to be one
// that counts microseconds: that of Atomics.waitAsync.
//
// On a machine with ten busy processes for each core, one page in 200 still jumps from frame 0 to 10 ms.
func (c *clock) mark(t microseconds) float64 {
	c.marked = t
	return (t - c.now + 1).milliseconds()
}

// marker returns a script for our world that sets the timer for t.
func (c *clock) marker(t microseconds) string {
	const cell = "globalThis.cell ??= new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer)"
	return fmt.Sprintf("Atomics.waitAsync(%s, 0, 0, %v);", cell, c.mark(t))
}

// grant lets virtual time run for a while and waits for the end of it.
func (c *clock) grant(ctx context.Context, policy emulation.VirtualTimePolicy, budget microseconds) error {
	select {
	case <-c.expired:
	default:
	}
	ms := budget.milliseconds()
	if _, err := c.policy(ctx, emulation.SetVirtualTimePolicyParams{Policy: policy, Budget: &ms}); err != nil {
		return err
	}
	select {
	case <-c.expired:
		return nil
	case <-c.page.Done():
		return c.page.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *clock) policy(ctx context.Context, params emulation.SetVirtualTimePolicyParams) (base float64, err error) {
	r, err := browser.Call(ctx, c.page.Session, emulation.SetVirtualTimePolicy, params)
	if err != nil {
		return 0, fmt.Errorf("moving the page's clock: %w", err)
	}
	return r.VirtualTimeTicksBase, nil
}

// beginFrame draws the frame at t. The interval is in milliseconds.
func (c *clock) beginFrame(ctx context.Context, t microseconds, interval float64, out output) (headlessexperimental.BeginFrameResult, error) {
	params := headlessexperimental.BeginFrameParams{
		FrameTimeTicks: (c.origin + t).milliseconds(),
		Interval:       interval,
	}
	if out&shot != 0 {
		params.Screenshot = &headlessexperimental.ScreenshotParams{Format: headlessexperimental.ScreenshotParamsFormatPng, OptimizeForSpeed: true}
	}
	if out&drawing == 0 {
		yes := true
		params.NoDisplayUpdates = &yes
	}
	r, err := browser.Call(ctx, c.page.Session, headlessexperimental.BeginFrame, params)
	if unknown := new(cdproto.Error); errors.As(err, &unknown) && unknown.Code == methodNotFound {
		return r, fault.Userf("this Chromium has no %s; install its headless shell: %s", headlessexperimental.CommandBeginFrame, browser.InstallHint)
	}
	return r, err
}

// methodNotFound is JSON-RPC's code for a command that does not exist.
const methodNotFound = -32601
