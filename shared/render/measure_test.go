package render

import (
	"testing"

	"helios/shared/browser"
	"helios/shared/job"
	"helios/shared/stitch/mp4"
	"helios/shared/store"
)

// The measured time includes encoding.
func TestMeasuredFramesAreEncoded(t *testing.T) {
	for _, mode := range []job.Capture{job.CaptureScreenshot, job.CaptureStream} {
		j := newJob(t, composition(t, `<p>text`), mode, 1)
		browsers := NewBrowserPool(j.Composition, 1)
		defer browsers.Close()
		dir := store.Dir(t.TempDir())
		err := browsers.use(t.Context(), func(b *browser.Browser) error {
			took, err := frameTime(t.Context(), b, j.Composition, j.Spec.Config, dir.Path("out.mp4"), 5)
			if err == nil && took <= 0 {
				t.Errorf("%s: frameTime() = %s", mode, took)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", mode, err)
			continue
		}
		if info, err := mp4.Probe(t.Context(), dir, "out.mp4"); err != nil || info.Frames != 5 {
			t.Errorf("%s: %d frames were encoded, want 5: %v", mode, info.Frames, err)
		}
	}
}
