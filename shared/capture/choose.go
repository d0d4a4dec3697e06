package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

// A way is too slow once all of its pictures took more than maxSlower times as long as those of the reference, and slack
// more than that together. Both are measured side by side on a busy machine, so some pictures that are late prove nothing.
// What is slower as such, such as a page of many photographs as drawn elements, is so by far, and in each frame.
const (
	maxSlower = 2
	slack     = time.Second
)

// sample is a picture of the reference, as PNG, with how long it took.
type sample struct {
	picture []byte
	took    time.Duration
}

// Choose finds the fastest way that shows a composition as the reference does, at each of the given frames, and
// says in one line why it is that one. Of what the page is, report was told.
//
// The pictures of the reference are taken in another browser at the same time. The pages jump from one frame to the
// next: whether two pictures of the same moment are equal does not depend on how it came about.
func Choose(ctx context.Context, b, other *browser.Browser, c Composition, o Options, report *Report, frames []int64) (way job.Capture, why string, err error) {
	if len(report.Ways) == 0 {
		return job.CaptureReference, "the page shows what the other ways miss", nil
	}
	frames = slices.Compact(slices.Sorted(slices.Values(frames)))
	g, ctx := errgroup.WithContext(ctx)
	reference := make([]chan sample, len(frames))
	for i := range reference {
		reference[i] = make(chan sample, 1)
	}
	g.Go(func() error {
		o := o
		o.Way = job.CaptureReference
		p, err := Open(ctx, other, c, o)
		if err != nil {
			return err
		}
		defer p.Close()
		for i, n := range frames {
			began := time.Now()
			picture, err := p.shoot(ctx, n)
			if err != nil {
				return err
			}
			reference[i] <- sample{picture, time.Since(began)}
		}
		return nil
	})
	g.Go(func() (err error) {
		samples := make([]sample, len(frames))
		shot := func(i int) (sample, error) {
			if samples[i].picture == nil {
				select {
				case samples[i] = <-reference[i]:
				case <-ctx.Done():
					return sample{}, context.Cause(ctx)
				}
			}
			return samples[i], nil
		}
		way, why, err = choose(ctx, b, c, o, report.Ways, frames, shot)
		return err
	})
	err = g.Wait()
	return way, why, err
}

// choose tries one way after the other; shot returns the reference's picture of the frame at a place in frames.
func choose(ctx context.Context, b *browser.Browser, c Composition, o Options, ways []job.Capture, frames []int64, shot func(int) (sample, error)) (job.Capture, string, error) {
	var reasons []string
	for _, way := range ways {
		o.Way = way
		err := prove(ctx, b, c, o, frames, shot)
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
	return job.CaptureReference, strings.Join(reasons, "; "), nil
}

// prove compares a way with the reference at each of the given frames.
func prove(ctx context.Context, b *browser.Browser, c Composition, o Options, frames []int64, shot func(int) (sample, error)) error {
	p, err := Open(ctx, b, c, o)
	if err != nil {
		return err
	}
	defer p.Close()
	return p.raw.crashed(p, p.prove(ctx, frames, shot))
}

func (p *Player) prove(ctx context.Context, frames []int64, shot func(int) (sample, error)) error {
	reader := p.raw.reader(p.o)
	began := time.Now()
	if err := p.goTo(ctx, 0, frames[0], job.StartJump); err != nil {
		return err
	}
	var speed pace
	for i, n := range frames {
		if _, err := p.show(ctx, n, pixels); err != nil {
			return err
		}
		frame, err := reader.next(ctx, drawn{n, p.raw.fresh})
		if err != nil {
			return err
		}
		took := time.Since(began)
		reference, err := shot(i)
		if err != nil {
			return err
		}
		if err := p.raw.compare(frame, reference.picture); err != nil {
			return err
		}
		if i > 0 { // the page was not warm
			speed.note(took, reference.took)
		}
		if speed.slow() {
			return unfit(p.raw.way, "it is slower: frame %d took %d ms, and %d ms in the reference way", n, took.Milliseconds(), reference.took.Milliseconds())
		}
		// To compare takes time as well.
		began = time.Now()
	}
	return nil
}

// pace is how long the pictures of a way took, beside those of the reference.
type pace struct {
	pictures int
	behind   time.Duration // what they took longer than maxSlower times the others
	keptUp   bool          // one did not
}

func (p *pace) note(took, reference time.Duration) {
	behind := took - maxSlower*reference
	p.pictures++
	p.behind += behind
	p.keptUp = p.keptUp || behind <= 0
}

func (p *pace) slow() bool { return p.pictures > 1 && !p.keptUp && p.behind > slack }

// possibleWays lists the fast ways that may do for a page, the fastest first.
const possibleWays = `[
	...(document.querySelector("canvas") ? ["canvas"] : []),
	...(window[Symbol.for("helios.used")].has("shadow-tree") ? [] : ["elements"]),
]`
