package capture

import (
	"bytes"
	"path/filepath"
	"testing"

	"helios/shared/fault"
	"helios/shared/job"
)

// exampleSeeks is what a direct seek does to each example:
//
//   - seekable: the frames equal those of a replay.
//   - history: the frames differ, because the page depends on earlier frames.
//   - edges: some pixels at the edges of moving elements may differ by 1 or 2 of 255, depending on the version of
//     Chromium.
var exampleSeeks = map[string]string{
	"bouncing-ball.html":  "history", // each frame callback is a step of the simulation
	"canvas.html":         "seekable",
	"clock.html":          "seekable",
	"gsap.html":           "edges",
	"iframe.html":         "seekable",
	"intro.html":          "edges",
	"keyframes.html":      "edges",
	"lottie.html":         "seekable",
	"props.html":          "seekable",
	"raf-time.html":       "seekable",
	"random.html":         "history", // each frame uses random numbers
	"seek.html":           "seekable",
	"svg.html":            "seekable",
	"three.html":          "seekable",
	"time-code.html":      "history",  // it counts its frame callbacks
	"timers.html":         "seekable", // the timers of skipped frames fire one after the other
	"transitions.html":    "history",  // a transition starts at the first frame after its timer
	"web-animations.html": "history",  // a wave starts at the first frame after the previous one
	"web-font.html":       "edges",
	"webgl.html":          "seekable",
}

// For each example, stream mode and screenshot mode show the same frames, also in partitions that start later, and
// Seekable detects the seek mode.
func TestExamples(t *testing.T) {
	pages, err := filepath.Glob(examples + "/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("found no examples: %v", err)
	}
	for _, page := range pages {
		name := filepath.Base(page)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := Locate("", page)
			if err != nil {
				t.Fatal(err)
			}
			o := small
			o.Width, o.Height, o.FPS = 640, 360, job.Rate{Num: 10, Den: 1}
			if name == "three.html" || name == "webgl.html" {
				o.Width, o.Height = 320, 180 // 3D graphics are slow without a GPU
			}
			o.Props = []byte(`{"title":"Title","name":"Name"}`)
			b := launch(t, c)
			const count = 22
			screenshots, _ := play(t, b, c, o, 0, count, job.SeekReplay, "")
			frames := playStreamed(t, b, c, o, 0, count)
			checkSame(t, o, screenshots, frames)
			if n := distinct(screenshots); n < 4 {
				t.Errorf("%d of %d frames are distinct, want at least 4", n, count)
			}
			for _, from := range []int64{1, 13} {
				for _, f := range playStreamed(t, b, c, o, from, 3) {
					if !bytes.Equal(f.Pixels, frames[f.Index].Pixels) {
						t.Errorf("a partition that starts at frame %d shows another frame %d", from, f.Index)
					}
				}
			}
			checkSeekable(t, c, o, exampleSeeks[name])
		})
	}
}

func checkSeekable(t *testing.T, c Composition, o Options, want string) {
	t.Helper()
	if want == "edges" {
		return
	}
	got, err := Seekable(t.Context(), launch(t, c), c, o, []int64{19})
	if fault.Of(err) == fault.Transient {
		t.Log(err) // render retries such errors too
		got, err = Seekable(t.Context(), launchNew(t, c), c, o, []int64{19})
	}
	if err != nil {
		t.Fatal(err)
	}
	if found := map[bool]string{true: "seekable", false: "history"}[got]; found != want {
		t.Errorf("the page is %s, want %q as in exampleSeeks", found, want)
	}
}

// Nothing changes any more when Seekable samples the frames, but a page after a direct seek is at an earlier state.
func TestSeekableDetectsHistoryOfStillPage(t *testing.T) {
	t.Parallel()
	c := composition(t, `<body><script>
		let calls = 0;
		requestAnimationFrame(function frame() {
			if (++calls === 8) document.body.style.background = "red";
			else requestAnimationFrame(frame);
		});
	</script>`)
	got, err := Seekable(t.Context(), launch(t, c), c, small, []int64{20})
	if err != nil || got {
		t.Errorf("Seekable() = %t, %v, want false", got, err)
	}
}

func TestSeekableAcceptsStillPage(t *testing.T) {
	t.Parallel()
	c := composition(t, `<h1>still</h1>`)
	got, err := Seekable(t.Context(), launch(t, c), c, small, []int64{0, 1, 2, 9})
	if err != nil || !got {
		t.Errorf("Seekable() = %t, %v, want true", got, err)
	}
}
