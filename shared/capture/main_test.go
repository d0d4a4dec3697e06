package capture

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// small is how the pages of these tests are played unless a test says otherwise.
var small = Options{Width: 160, Height: 90, FPS: job.Rate{Num: 30, Den: 1}, Timeout: 20 * time.Second}

// folder makes a composition of files; its page is index.html.
func folder(t *testing.T, files map[string]string) Composition {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Locate("", dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// composition makes a composition of one page.
func composition(t *testing.T, html string) Composition {
	t.Helper()
	return folder(t, map[string]string{"index.html": "<!doctype html>" + html})
}

// launch starts a browser for a composition.
func launch(t *testing.T, c Composition) *browser.Browser {
	t.Helper()
	b, err := browser.Launch(t.Context(), c.Browser(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// open loads a composition.
func open(t *testing.T, b *browser.Browser, c Composition, o Options) *Player {
	t.Helper()
	p, err := Open(t.Context(), b, c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// play returns count frames of a composition from frame from on, and what an expression gave after each,
// as JSON; an empty expression gives nothing. As in a render, a page in which Chromium got stuck is opened again.
func play(t *testing.T, b *browser.Browser, c Composition, o Options, from, count int64, start job.SeekMode, expression string) (frames []Frame, values []string) {
	t.Helper()
	for try := 0; ; try++ {
		frames, values = nil, nil
		err := playOnce(t, b, c, o, from, count, start, func(p *Player, f Frame) error {
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
		if try == 2 || fault.Of(err) != fault.Transient {
			t.Fatal(err)
		}
		t.Log(err)
		b = launch(t, c)
	}
}

func playOnce(t *testing.T, b *browser.Browser, c Composition, o Options, from, count int64, start job.SeekMode, emit func(*Player, Frame) error) error {
	p, err := Open(t.Context(), b, c, o)
	if err != nil {
		return err
	}
	defer p.Close()
	return p.Play(t.Context(), from, count, start, func(f Frame) error { return emit(p, f) })
}

// load keeps the machine busy until the end of the test.
func load(t *testing.T) {
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

// within fails the test when what it does takes longer than it may, and returns its error.
func within(t *testing.T, limit time.Duration, do func(context.Context) error) error {
	t.Helper()
	start := time.Now()
	err := do(t.Context())
	if took := time.Since(start); took > limit {
		t.Errorf("took %s, want at most %s", took, limit)
	}
	return err
}
