package remote

import (
	"context"
	"time"

	"helios/shared/fault"
)

// maxOutage is how long AWS may be out of reach before a render is no longer followed.
const maxOutage = 5 * time.Minute

// Follow looks at a render again and again until it has ended, and tells each time. The frames that are told never
// go down. The error is that of the looking; see [Render.Err] for how the render ended.
func (s *Stack) Follow(ctx context.Context, id string, every time.Duration, tell func(*Render)) (*Render, error) {
	var last *Render
	tick := time.NewTicker(every)
	defer tick.Stop()
	heard := time.Now()
	for {
		r, err := s.Status(ctx, id, last)
		switch {
		case err == nil:
			heard = time.Now()
			if last != nil && last.Progress != nil && r.Progress != nil {
				r.Progress.Frames = max(r.Progress.Frames, last.Progress.Frames)
			}
			last = r
			tell(r)
			if r.Status != Running {
				return r, nil
			}
		case fault.Of(err) != fault.Transient || time.Since(heard) > maxOutage:
			return last, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return last, context.Cause(ctx)
		}
	}
}
