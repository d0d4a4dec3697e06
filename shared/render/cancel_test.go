package render

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

func TestCancel(t *testing.T) {
	heavy := composition(t, counting+`<script>
		requestAnimationFrame(function f() { requestAnimationFrame(f); for (let i = 0; i < 2e7; i++); })
	</script>`)
	for name, at := range map[string]func(Event) bool{
		"when planned":         func(e Event) bool { return e.Type == JobPlanned },
		"while pages load":     func(e Event) bool { return e.Type == PartitionStarted },
		"during a frame":       func(e Event) bool { return e.Type == FrameDone && e.Frames == 3 },
		"after a chunk":        func(e Event) bool { return e.Type == PartitionDone },
		"at the merge":         func(e Event) bool { return e.Type == MergeStarted },
		"after the last frame": func(e Event) bool { return e.Type == FrameDone && e.Frames == e.Total },
	} {
		t.Run(name, func(t *testing.T) {
			o := small(heavy)
			o.Concurrency = 3
			j := jobOf(t, o)
			ctx, cancel := context.WithCancelCause(t.Context())
			cause := errors.New("cancelled by the test")
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
				cancel(cause)
			}
			err := j.Run(ctx)
			if took := time.Since(cancelled); took > 2*time.Second {
				t.Errorf("Run() returns %s after the cancellation", took)
			}
			if !errors.Is(err, cause) {
				t.Errorf("Run() = %v, want %v", err, cause)
			}
			checkClean(t, j)
			for _, dir := range profiles {
				if _, err := os.Stat(dir); err == nil {
					t.Errorf("%s still exists", dir)
				}
			}
			if _, err := os.Stat(j.Output); err == nil {
				t.Error("the output exists")
			}
		})
	}
}
