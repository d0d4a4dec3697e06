package remote

import (
	"context"
	"time"

	"helios/shared/fault"
)

// maxOutage is how long Follow tolerates transient errors.
const maxOutage = 5 * time.Minute

// Follow polls a render until it ends, and calls report after each poll. The reported number of frames does not
// decrease. Follow returns errors of polling; [Render.Err] returns the error of the render.
func (s *Stack) Follow(ctx context.Context, id string, interval time.Duration, report func(*Render)) (*Render, error) {
	var last *Render
	tick := time.NewTicker(interval)
	defer tick.Stop()
	reached := time.Now()
	for {
		r, err := s.Status(ctx, id, last)
		switch {
		case err == nil:
			reached = time.Now()
			if last != nil && last.Progress != nil && r.Progress != nil {
				r.Progress.Frames = max(r.Progress.Frames, last.Progress.Frames)
			}
			last = r
			report(r)
			if r.Status != Running {
				return r, nil
			}
		case fault.Of(err) != fault.Transient || time.Since(reached) > maxOutage:
			return last, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return last, context.Cause(ctx)
		}
	}
}
