package render

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/job"
)

// The central promise of Helios: partitions do not change frames.
func TestPartitionsDoNotChangeFrames(t *testing.T) {
	if _, err := os.Stat("../../examples/libraries/node_modules"); err != nil {
		t.Fatal("the libraries of the examples are missing; install them with: npm ci --prefix examples/libraries")
	}
	pages, err := filepath.Glob("../../examples/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("found no examples: %v", err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			const frames = 22 // 2.2 s
			o := small(page)
			o.Width, o.Height, o.FrameCount = 1280, 720, frames
			whole := run(t, jobOf(t, o))
			want := hashes(t, whole)
			if len(want) != frames {
				t.Fatalf("the video has %d frames, want %d", len(want), frames)
			}
			if n := len(slices.Compact(slices.Sorted(slices.Values(want)))); n < 5 {
				t.Errorf("only %d of %d frames differ", n, frames)
			}
			compare := func(name string, j *Job) {
				t.Helper()
				for n, hash := range hashes(t, run(t, j)) {
					if hash != want[n] {
						t.Errorf("%s: frame %d differs from the one without partitions", name, n)
					}
				}
			}
			for _, partitions := range []int{2, 3, 7} {
				o.Concurrency = partitions
				compare(fmt.Sprint(partitions, " partitions"), jobOf(t, o))
			}

			// If the page is seekable, a direct seek makes no visible difference. After a fade that the page did not play,
			// Chromium draws a few edge pixels in a million with a difference of 1 or 2 of 255.
			o.Concurrency, o.SeekMode = 2, job.SeekDirect
			j := jobOf(t, o)
			j.Browsers = NewBrowserPool(j.Composition, 1)
			defer j.Browsers.Close()
			var seekable bool
			err := j.Browsers.use(t.Context(), func(b *browser.Browser) (err error) {
				frames := []int64{j.Spec.Partitions[1].StartFrame}
				seekable, err = capture.Seekable(t.Context(), b, j.Composition, CaptureOptions(j.Spec.Config), frames)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if seekable {
				j.Workers = 1
				if psnr := leastPSNR(t, whole, run(t, j)); psnr < 90 {
					t.Errorf("direct seek: the lowest PSNR is %.1f dB, want 90", psnr)
				}
			}
		})
	}
}
