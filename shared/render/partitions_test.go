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

// The heart of Helios: a frame is the same picture whichever partition renders it.
func TestEveryExampleGivesTheSameFramesInEveryPartition(t *testing.T) {
	if _, err := os.Stat("../../examples/libraries/node_modules"); err != nil {
		t.Fatal("the libraries of the examples are missing; install them with: npm ci --prefix examples/libraries")
	}
	pages, err := filepath.Glob("../../examples/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("found no examples: %v", err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			// Nearly three seconds of each, ten frames a second, of the upper left part.
			o := small(page)
			o.Width, o.Height, o.FrameCount = 640, 360, 28
			j := jobOf(t, o)
			want := hashes(t, run(t, j))
			if len(want) != 28 {
				t.Fatalf("there are %d frames, want 28", len(want))
			}
			if n := len(slices.Compact(slices.Sorted(slices.Values(want)))); n < 10 {
				t.Errorf("only %d of 28 frames are different", n)
			}
			compare := func(name string, j *Job) {
				t.Helper()
				for n, hash := range hashes(t, run(t, j)) {
					if hash != want[n] {
						t.Errorf("%s: frame %d is another picture than in one partition", name, n)
					}
				}
			}
			for _, partitions := range []int{2, 3, 7} {
				o.Concurrency = partitions
				compare(fmt.Sprint(partitions, " partitions"), jobOf(t, o))
			}

			// Where jumping is said to make no difference it makes none.
			o.Concurrency = 3
			j = jobOf(t, o)
			b, err := browser.Launch(t.Context(), j.Composition.Browser())
			if err != nil {
				t.Fatal(err)
			}
			j.Browser = b
			starts := []int64{j.Spec.Partitions[1].StartFrame, j.Spec.Partitions[2].StartFrame}
			pure, err := capture.Pure(t.Context(), b, j.Composition, Options(j.Spec.Config), starts)
			if err != nil {
				b.Close()
				t.Fatal(err)
			}
			if !pure {
				b.Close()
				return
			}
			o.Start = job.StartJump
			jumping := jobOf(t, o)
			jumping.Browser = b
			compare("jumping", jumping)
		})
	}
}
