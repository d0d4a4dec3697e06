package capture

import (
	"fmt"
	"image/color"
	"math/rand/v2"
	"mime"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"helios/shared/job"
)

// The response to a request that a frame made appears in the same frame of every run, however long the server takes.
func TestSlowResponseIsDeterministic(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(50*time.Millisecond + rand.N(300*time.Millisecond))
			fmt.Fprint(w, "answer")
			return
		}
		fmt.Fprint(w, `<!doctype html><body><script>
			const log = [];
			let n = 0;
			setInterval(() => log.push("timer " + performance.now()), 20);
			requestAnimationFrame(function frame() {
				requestAnimationFrame(frame);
				log.push("frame " + n);
				if (n++ % 3 == 1) {
					fetch("slow?" + n).then((r) => r.text()).then((text) => log.push(text + " " + performance.now()));
				}
			});
		</script>`)
	})
	b := launch(t, c)
	var want []string
	for range 3 {
		_, got := play(t, b, c, small, 0, 8, job.SeekReplay, "log")
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Fatalf("two runs differ:\n%s\n%s", got, want)
		}
	}
	if last := want[7]; strings.Count(last, "answer") != 2 || !strings.Contains(want[2], "answer") {
		t.Errorf("the responses are late: %s", last)
	}
}

// The time that assets take to load does not change the frames.
func TestSlowAssetsAreDeterministic(t *testing.T) {
	t.Parallel()
	font, err := os.ReadFile("../../examples/assets/NotoSerifDisplay-Regular.woff2")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"/font.woff2": font,
		"/style.css": []byte(`@font-face { font-family: Slow; src: url(font.woff2) }
			body { font: 20px/1 Slow; margin: 0 }
			h1, p { font-size: 20px; margin: 0 }
			h1 { animation: in .5s }
			@keyframes in { from { opacity: 0 } }`),
		"/late.js": []byte(`late.textContent = performance.now() + " " + Date.now();
			setInterval(() => late.append("."), 30)`),
		"/image.svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">
			<rect width="40" height="20" fill="red"/></svg>`),
		"/data.json": []byte(`{"text": "data"}`),
	}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if file := files[r.URL.Path]; file != nil {
			time.Sleep(rand.N(150 * time.Millisecond))
			w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(r.URL.Path)))
			w.Header().Set("Cache-Control", "no-store")
			w.Write(file)
			return
		}
		fmt.Fprint(w, `<!doctype html><link rel="stylesheet" href="style.css">
			<body><h1>Slow</h1><img src="image.svg"><p id="late"></p><p id="data"></p>
			<script>fetch("data.json").then((r) => r.json()).then(({ text }) => data.textContent = text)</script>
			<script async src="late.js"></script>`)
	})
	b := launch(t, c)
	var want []Frame
	for run := range 3 {
		got, _ := play(t, b, c, small, 0, 6, job.SeekReplay, "")
		if want == nil {
			want = got
		}
		for n := range got {
			if string(got[n].PNG) != string(want[n].PNG) {
				t.Fatalf("frame %d of run %d differs from that of run 0", n, run)
			}
		}
	}
	if n := distinct(want); n < 5 {
		t.Errorf("%d of 6 frames are distinct, want at least 5", n)
	}
}

func TestAssetThatAFrameRequestsIsMissing(t *testing.T) {
	t.Parallel()
	c := composition(t,
		`<body><script>setTimeout(() => document.body.innerHTML = "<img src=gone.png>", 90)</script>`)
	b := launch(t, c)
	p := open(t, b, c, small)
	var last int64
	err := p.Play(t.Context(), 0, 12, job.SeekReplay, func(f Frame) error { last = f.Index; return nil })
	checkUserError(t, err, "missing image", "gone.png", "404", "--allow-missing-assets")
	if last > 4 {
		t.Errorf("Play fails after frame %d, want at most 4, because frame 3 makes the request", last)
	}

	o := small
	o.AllowMissing = true
	if frames, _ := play(t, b, c, o, 0, 12, job.SeekReplay, ""); len(frames) != 12 {
		t.Errorf("with AllowMissing there are %d frames, want 12", len(frames))
	}
}

func TestImageThatAFrameRequests(t *testing.T) {
	t.Parallel()
	c := folder(t, map[string]string{
		"index.html": `<!doctype html><style>body { margin: 0 }</style>
			<body><script>setTimeout(() => document.body.innerHTML = "<img src=red.svg>", 90)</script>`,
		"red.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90">
			<rect width="90" height="90" fill="red"/></svg>`,
	})
	frames, _ := play(t, launch(t, c), c, small, 0, 6, job.SeekReplay, "")
	// The request is at 90 ms and its response 10 ms later. Frame 3 is at 100 ms.
	red := color.NRGBA{255, 0, 0, 255}
	if before, after := pixel(t, frames[2], 5, 5), pixel(t, frames[4], 5, 5); before == red || after != red {
		t.Errorf("the corner is %v in frame 2 and %v in frame 4, want red in frame 4", before, after)
	}
}
