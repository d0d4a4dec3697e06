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

// Epoch is Date.now() at frame 0, in seconds: 2024-01-01T00:00:00Z.
const Epoch = 1704067200

// microseconds is a time since frame 0, or since Chromium's own zero.
type microseconds int64

// resolution is the resolution of the times that a page can read. Chromium rounds other times up or down at random,
// differently in each process, and animations use the rounded time. So frame times are multiples of the resolution.
const resolution microseconds = 100

// frameTime returns n/fps, rounded up to a multiple of the resolution. It is less than 0.1 ms late and never early, so
// that a timer for n/fps has fired and floor(time*fps) is n. It does not use the time of the previous frame, so
// rounding errors do not add up.
func frameTime(fps job.Rate, n int64) microseconds {
	ticks := fps.At(n)
	ticks.Mul(ticks, big.NewRat(int64(1_000_000/resolution), 1))
	up, rest := new(big.Int).DivMod(ticks.Num(), ticks.Denom(), new(big.Int))
	return (microseconds(up.Int64()) + microseconds(rest.Sign())) * resolution
}

// milliseconds returns t in the unit of the protocol. Chromium truncates it to microseconds. Because binary floating
// point can be slightly below t, milliseconds adds half a microsecond.
func (t microseconds) milliseconds() float64 { return (float64(t) + 0.5) / 1000 }

// clock controls a page's virtual time and the time of its frames.
//
// Chromium's virtual time, measured with version 156:
//   - Policy "pause" puts a fence at the current time. No task of the page runs.
//   - Policy "pauseIfNetworkFetchesPending" runs tasks, but no timers while a request is open. Without a budget, the
//     fence of an earlier pause remains, so time does not advance while the page loads.
//   - With a budget, time advances exactly to the end of the budget, and a request takes 10 ms.
//   - Policy "advance" removes the fence, and time jumps to the next timer. The clock uses it only before a page loads.
type clock struct {
	page    *browser.Page
	world   browser.World // the isolated world of Helios's scripts in the loaded page
	origin  microseconds  // Chromium's time of frame 0
	now     microseconds  // virtual time since the origin
	next    microseconds  // the expected end of the next budget
	marked  microseconds  // see mark
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

// freeze stops virtual time at zero. A page that is loaded afterwards loads at time zero.
func (c *clock) freeze(ctx context.Context) error {
	base, err := c.policy(ctx, emulation.SetVirtualTimePolicyParams{
		Policy: emulation.VirtualTimePolicyPause, InitialVirtualTime: cdp.TimeSinceEpoch(Epoch),
	})
	if err != nil {
		return err
	}
	// The origin must also be a multiple of the resolution.
	c.origin = microseconds(math.Round(base * 1000))
	if rest := c.origin % resolution; rest != 0 {
		if err := c.grant(ctx, emulation.VirtualTimePolicyAdvance, resolution-rest); err != nil {
			return err
		}
		c.origin += resolution - rest
	}
	for _, p := range []emulation.VirtualTimePolicy{
		emulation.VirtualTimePolicyPause, emulation.VirtualTimePolicyPauseIfNetworkFetchesPending,
	} {
		if _, err := c.policy(ctx, emulation.SetVirtualTimePolicyParams{Policy: p}); err != nil {
			return err
		}
	}
	return nil
}

// advance runs the page until t, including all tasks that are due at t.
func (c *clock) advance(ctx context.Context, t microseconds) error {
	moved, err := c.runUntil(ctx, t)
	if err != nil || !moved {
		return err
	}
	return c.settle(ctx)
}

// runUntil advances virtual time to t. If it moved, no task of the page runs until evaluatePaused is called.
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

// settled is an expression for a promise that resolves after the timers that are due now, and after the responses to
// open requests.
const settled = "new Promise(done => setTimeout(done))"

// settle runs the tasks that are due now, without advancing time. They include timers that are due exactly at the end
// of a budget, because these may not have fired.
func (c *clock) settle(ctx context.Context) error {
	return c.evaluatePaused(ctx, c.world, c.marker(c.next)+settled, nil)
}

// evaluatePaused evaluates an expression. The page's tasks run again, but time does not advance.
func (c *clock) evaluatePaused(ctx context.Context, w browser.World, expression string, result any) error {
	policy := browser.Send(ctx, c.page.Session, emulation.SetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{
		Policy: emulation.VirtualTimePolicyPauseIfNetworkFetchesPending,
	})
	if err := w.Evaluate(ctx, expression, result); err != nil {
		return err
	}
	if _, err := policy.Wait(ctx); err != nil {
		return fmt.Errorf("setting the virtual time policy: %w", err)
	}
	return nil
}

// mark returns the delay of a timer for one microsecond after t, in milliseconds. The caller passes it to a script that
// sets the timer; mark records that it is set.
//
// Without this timer, the page's own timers can fire late. When the page is idle and time is paused, Chromium records
// the time of the next timer. The next budget starts with a jump to the recorded time, even if the page has set an
// earlier timer since then. If Helios's timer is set before time reaches t, the jump ends one microsecond after t. The
// timer is an Atomics.waitAsync, which has a resolution of microseconds.
//
// With ten busy processes per core, one page in 200 still jumps from frame 0 to 10 ms.
func (c *clock) mark(t microseconds) float64 {
	c.marked = t
	return (t - c.now + 1).milliseconds()
}

// marker returns a script for Helios's world that sets the timer for t; see mark.
func (c *clock) marker(t microseconds) string {
	const memory = "new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })"
	return fmt.Sprintf("Atomics.waitAsync(globalThis.cell ??= new Int32Array(%s.buffer), 0, 0, %v);", memory, c.mark(t))
}

// grant advances virtual time by a budget and waits until the budget expires.
func (c *clock) grant(ctx context.Context, policy emulation.VirtualTimePolicy, budget microseconds) error {
	select {
	case <-c.expired: // of an earlier budget
	default:
	}
	ms := budget.milliseconds()
	params := emulation.SetVirtualTimePolicyParams{Policy: policy, Budget: &ms}
	if _, err := c.policy(ctx, params); err != nil {
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

func (c *clock) policy(
	ctx context.Context, params emulation.SetVirtualTimePolicyParams,
) (base float64, err error) {
	r, err := browser.Call(ctx, c.page.Session, emulation.SetVirtualTimePolicy, params)
	if err != nil {
		return 0, fmt.Errorf("setting the virtual time policy: %w", err)
	}
	return r.VirtualTimeTicksBase, nil
}

// beginFrame asks Chromium to run a frame at t. The interval is in milliseconds.
func (c *clock) beginFrame(
	ctx context.Context, t microseconds, interval float64, out output,
) (headlessexperimental.BeginFrameResult, error) {
	params := headlessexperimental.BeginFrameParams{
		FrameTimeTicks: (c.origin + t).milliseconds(),
		Interval:       interval,
	}
	if out >= outputIfDamaged {
		params.Screenshot = &headlessexperimental.ScreenshotParams{
			Format: headlessexperimental.ScreenshotParamsFormatPng, OptimizeForSpeed: true,
		}
	}
	if out == outputNone {
		yes := true
		params.NoDisplayUpdates = &yes
	}
	r, err := browser.Call(ctx, c.page.Session, headlessexperimental.BeginFrame, params)
	if unknown := new(cdproto.Error); errors.As(err, &unknown) && unknown.Code == methodNotFound {
		return r, fault.Userf("this Chromium has no %s; install its headless shell: %s",
			headlessexperimental.CommandBeginFrame, browser.InstallHint)
	}
	return r, err
}

// methodNotFound is JSON-RPC's code for an unknown command.
const methodNotFound = -32601
