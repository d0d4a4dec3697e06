package capture

import (
	"path/filepath"
	"testing"

	"helios/shared/fault"
	"helios/shared/job"
)

// expected says of each example what a direct seek to a frame does to it.
var expected = map[string]string{
	"bouncing-ball.html":  "history", // every call of the frame callback is a step of the physics
	"canvas.html":         "seekable",
	"clock.html":          "seekable",
	"gsap.html":           "edges",
	"iframe.html":         "seekable",
	"intro.html":          "edges",
	"keyframes.html":      "edges",
	"lottie.html":         "seekable",
	"props.html":          "seekable",
	"raf-time.html":       "seekable",
	"random.html":         "history", // dice are thrown in every frame
	"seek.html":           "seekable",
	"svg.html":            "seekable",
	"three.html":          "seekable",
	"time-code.html":      "history",  // it counts the calls of its callback
	"timers.html":         "seekable", // the timers of the frames left out fire one after the other
	"transitions.html":    "history",  // a transition begins with the first frame after its timer
	"web-animations.html": "history",  // a wave begins with the first frame after the one before
	"web-font.html":       "edges",
	"webgl.html":          "seekable",
}

// A page whose pictures are a function of time by its own lights can still differ by a level or two in a few
// pixels at the edges of what fades or moves, by what it has lived through. Whether it does is up to the version
// of Chromium: "edges" above stands for either answer.
func TestSeekableKnowsTheExamples(t *testing.T) {
	pages, err := filepath.Glob("../../examples/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("found no examples: %v", err)
	}
	for _, path := range pages {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			want := expected[name]
			if want == "" {
				t.Fatalf("say in this test what a direct seek does to %s", name)
			}
			if want == "edges" {
				return
			}
			c, err := Locate("", path)
			if err != nil {
				t.Fatal(err)
			}
			o := small
			o.Width, o.Height, o.FPS = 1280, 720, job.Rate{Num: 10, Den: 1}
			got, err := Seekable(t.Context(), launch(t, c), c, o, []int64{19})
			if fault.Of(err) == fault.Transient {
				// As render.Plan does: a Chromium that got stuck is started anew.
				t.Log(err)
				got, err = Seekable(t.Context(), launch(t, c), c, o, []int64{19})
			}
			if err != nil {
				t.Fatal(err)
			}
			if got != (want == "seekable") {
				t.Errorf("Seekable said %t of a page of the kind %q", got, want)
			}
		})
	}
}

func TestSeekableSeesHistoryBehindAStillPicture(t *testing.T) {
	// When the samples are taken nothing moves any more, but a page that sought directly has not come so far.
	c := composition(t, `<body><script>
		let calls = 0;
		requestAnimationFrame(function frame() {
			if (++calls === 8) document.body.style.background = "red";
			else requestAnimationFrame(frame);
		});
	</script>`)
	got, err := Seekable(t.Context(), launch(t, c), c, small, []int64{20})
	if err != nil || got {
		t.Errorf("Seekable said %t, %v", got, err)
	}
}

func TestSeekableAcceptsAStillPage(t *testing.T) {
	c := composition(t, `<h1>still</h1>`)
	got, err := Seekable(t.Context(), launch(t, c), c, small, []int64{0, 1, 2, 9})
	if err != nil || !got {
		t.Errorf("Seekable said %t, %v", got, err)
	}
}
