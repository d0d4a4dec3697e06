package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

// Choose finds the fastest way that shows a composition as the reference does, at each of the given frames, and
// says in one line why it is that one. Of what the page is, report was told.
//
// The page jumps from one frame to the next: whether two pictures of the same moment are equal does not depend
// on how it came about.
func Choose(ctx context.Context, b *browser.Browser, c Composition, o Options, report *Report, frames []int64) (job.Capture, string, error) {
	frames = slices.Compact(slices.Sorted(slices.Values(frames)))
	var reasons []string
	for _, way := range report.Ways {
		o.Way = way
		err := prove(ctx, b, c, o, frames)
		if err == nil {
			return way, fmt.Sprintf("the pictures are those of the reference at frames %v", frames), nil
		}
		if fault.Of(err) != fault.User || ctx.Err() != nil {
			return "", "", err
		}
		why := err.Error()
		if u := new(UnfitError); errors.As(err, &u) {
			why = u.Why
		}
		reasons = append(reasons, fmt.Sprintf("%s will not do: %s", way, why))
	}
	if len(reasons) == 0 {
		reasons = []string{"the page shows what the other ways miss"}
	}
	return job.CaptureReference, strings.Join(reasons, "; "), nil
}

// prove compares a way with the reference at each of the given frames.
func prove(ctx context.Context, b *browser.Browser, c Composition, o Options, frames []int64) error {
	p, err := Open(ctx, b, c, o)
	if err != nil {
		return err
	}
	defer p.Close()
	return p.raw.crashed(p, p.prove(ctx, frames))
}

func (p *Player) prove(ctx context.Context, frames []int64) error {
	reader := p.raw.reader(p.o)
	for i, n := range frames {
		if i == 0 {
			if err := p.goTo(ctx, 0, n, job.StartJump); err != nil {
				return err
			}
		}
		shot, err := p.show(ctx, n, p.raw.output(n, n, n))
		if err != nil {
			return err
		}
		frame, err := reader.next(ctx, drawn{n, p.raw.fresh})
		if err != nil {
			return err
		}
		if err := p.raw.check(ctx, frame, shot, job.StartJump); err != nil {
			return err
		}
	}
	return nil
}

// possibleWays lists the fast ways that may do for a page, the fastest first.
const possibleWays = `[
	...(document.querySelector("canvas") ? ["canvas"] : []),
	...(window[Symbol.for("helios.used")].has("shadow-tree") ? [] : ["elements"]),
]`
