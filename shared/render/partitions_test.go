package render

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/job"
	"helios/shared/plan"
)

// The central promise of Helios: partitions do not change frames. Package capture tests all examples.
func TestPartitionsDoNotChangeFrames(t *testing.T) {
	for _, page := range []string{"bouncing-ball.html", "lottie.html", "three.html", "transitions.html"} {
		t.Run(page, func(t *testing.T) {
			o := small("../../examples/" + page)
			o.Width, o.Height, o.FrameCount = 320, 180, 12
			checkPartitions(t, o, 3)
		})
	}
}

// TestSoakPartitions renders 22 frames of all examples, in several numbers of partitions and with a direct seek. It
// runs if HELIOS_SOAK is set.
func TestSoakPartitions(t *testing.T) {
	if os.Getenv("HELIOS_SOAK") == "" {
		t.Skip("takes minutes; see make soak")
	}
	pages, err := filepath.Glob("../../examples/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("found no examples: %v", err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			o := small(page)
			o.Width, o.Height, o.FrameCount = 1280, 720, 22
			whole := checkPartitions(t, o, 2, 3, 7)
			checkDirectSeek(t, o, whole)
		})
	}
}

// checkPartitions renders a video in one partition and in the given numbers of partitions, and compares the frames. It
// returns the path of the first video.
func checkPartitions(t *testing.T, o plan.Options, counts ...int) (whole string) {
	t.Helper()
	whole = run(t, jobOf(t, o))
	want := hashes(t, whole)
	if len(want) != int(o.FrameCount) {
		t.Fatalf("the video has %d frames, want %d", len(want), o.FrameCount)
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(want)))); n < 5 {
		t.Errorf("only %d of %d frames differ", n, o.FrameCount)
	}
	for _, partitions := range counts {
		o.Concurrency = partitions
		for n, hash := range hashes(t, run(t, jobOf(t, o))) {
			if hash != want[n] {
				t.Errorf("%d partitions: frame %d differs from the one without partitions", partitions, n)
			}
		}
	}
	return whole
}

// checkDirectSeek checks that a direct seek makes no visible difference if the page is seekable. After a fade that the
// page did not play, Chromium draws a few edge pixels in a million with a difference of 1 or 2 of 255.
func checkDirectSeek(t *testing.T, o plan.Options, whole string) {
	t.Helper()
	o.Concurrency, o.SeekMode = 2, job.SeekDirect
	j := jobOf(t, o)
	j.Browsers, j.Workers = NewBrowserPool(j.Composition, 1), 1
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
	if !seekable {
		return
	}
	if psnr := leastPSNR(t, whole, run(t, j)); psnr < 90 {
		t.Errorf("direct seek: the lowest PSNR is %.1f dB, want 90", psnr)
	}
}
