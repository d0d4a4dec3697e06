package capture

import (
	"context"
	"encoding/json"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

// open opens a composition. It is closed at the end of the test.
func open(t *testing.T, b *browser.Browser, c Composition, o Options) *Player {
	t.Helper()
	p, err := Open(t.Context(), b, c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// play returns count frames of a composition, and the value of an expression after each frame as JSON, unless the
// expression is empty. It retries transient errors in another browser, as a render does.
func play(
	t *testing.T, b *browser.Browser, c Composition, o Options, from, count int64, seek job.SeekMode, expression string,
) (frames []Frame, values []string) {
	t.Helper()
	for attempt := 0; ; attempt++ {
		frames, values = nil, nil
		err := playOnce(t, b, c, o, from, count, seek, func(p *Player, f Frame) error {
			frames = append(frames, f)
			if expression == "" {
				return nil
			}
			var value json.RawMessage
			err := p.page.Evaluate(t.Context(), expression, &value)
			values = append(values, string(value))
			return err
		})
		if err == nil {
			return frames, values
		}
		if attempt == 2 || fault.Of(err) != fault.Transient {
			t.Fatal(err)
		}
		t.Log(err)
		b = launchNew(t, c)
	}
}

func playOnce(
	t *testing.T, b *browser.Browser, c Composition, o Options, from, count int64, seek job.SeekMode,
	emit func(*Player, Frame) error,
) error {
	p, err := Open(t.Context(), b, c, o)
	if err != nil {
		return err
	}
	defer p.Close()
	return p.Play(t.Context(), from, count, seek, func(f Frame) error { return emit(p, f) })
}

// loadCPU keeps all processors busy until the end of the test.
func loadCPU(t *testing.T) {
	var stop atomic.Bool
	done := make(chan struct{})
	workers := runtime.GOMAXPROCS(0)
	for range workers {
		go func() {
			for !stop.Load() {
			}
			done <- struct{}{}
		}()
	}
	t.Cleanup(func() {
		stop.Store(true)
		for range workers {
			<-done
		}
	})
}

// within returns the error of a function, which must return before the limit.
func within(t *testing.T, limit time.Duration, f func(context.Context) error) error {
	t.Helper()
	start := time.Now()
	err := f(t.Context())
	if took := time.Since(start); took > limit {
		t.Errorf("took %s, want at most %s", took, limit)
	}
	return err
}
