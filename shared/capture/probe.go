package capture

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"helios/shared/browser"
	"helios/shared/job"
	"helios/shared/tempfile"
)

// Probe captures two frames of a small page in stream mode with a new Chromium, and returns Chromium's name and
// version. The error names the feature that Chromium lacks.
func Probe(ctx context.Context) (version string, err error) {
	dir, err := tempfile.MkdirTemp("")
	if err != nil {
		return "", err
	}
	defer dir.Remove()
	page := filepath.Join(dir.Path(), "index.html")
	if err := os.WriteFile(page, []byte(`<!doctype html><h1>Helios`), 0o600); err != nil {
		return "", err
	}
	c, err := Locate("", dir.Path())
	if err != nil {
		return "", err
	}
	b, err := browser.Launch(ctx, c.BrowserOptions(1))
	if err != nil {
		return "", err
	}
	defer b.Close()
	p, err := Open(ctx, b, c, Options{
		Width: 160, Height: 90, FPS: job.Rate{Num: 30, Den: 1}, Timeout: 10 * time.Second, Capture: job.CaptureStream,
	})
	if err != nil {
		return b.Version(), err
	}
	defer p.Close()
	return b.Version(), p.Play(ctx, 0, 2, job.SeekReplay, func(Frame) error { return nil })
}
