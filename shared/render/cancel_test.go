package render

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

func TestACancelledJobEndsAtOnceAndLeavesNothing(t *testing.T) {
	heavy := composition(t, counting+`<script>requestAnimationFrame(function f() { requestAnimationFrame(f); const end = performance.now(); for (let i = 0; i < 2e7; i++); })</script>`)
	for name, at := range map[string]func(Event) bool{
		"at the start":        func(e Event) bool { return e.Type == JobPlanned },
		"while pages load":    func(e Event) bool { return e.Type == PartitionStarted },
		"in a frame":          func(e Event) bool { return e.Type == FrameDone && e.Frames == 3 },
		"with a chunk done":   func(e Event) bool { return e.Type == PartitionDone },
		"at the merge":        func(e Event) bool { return e.Type == MergeStarted },
		"in the last moments": func(e Event) bool { return e.Type == FrameDone && e.Frames == e.Total },
	} {
		t.Run(name, func(t *testing.T) {
			o := small(heavy)
			o.Concurrency = 3
			j := jobOf(t, o)
			ctx, cancel := context.WithCancelCause(t.Context())
			because := errors.New("enough")
			var cancelled time.Time
			var profiles []string
			j.Report = func(e Event) {
				if !cancelled.IsZero() || !at(e) {
					return
				}
				for _, c := range children() {
					if c.profile != "" {
						profiles = append(profiles, c.profile)
					}
				}
				cancelled = time.Now()
				cancel(because)
			}
			err := j.Run(ctx)
			if took := time.Since(cancelled); took > 2*time.Second {
				t.Errorf("the job ended %s after it was cancelled", took)
			}
			if !errors.Is(err, because) {
				t.Errorf("the error is %v, want the cause of the cancellation", err)
			}
			checkClean(t, j)
			for _, dir := range profiles {
				if _, err := os.Stat(dir); err == nil {
					t.Errorf("%s was left behind", dir)
				}
			}
			if _, err := os.Stat(j.Output); err == nil {
				t.Error("there is an output")
			}
		})
	}
}
