package capture

import (
	"fmt"
	"image/color"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"helios/shared/job"
)

// serve starts a web server and returns the composition that is its page /.
func serve(t *testing.T, handle http.HandlerFunc) Composition {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	c, err := Locate("", server.URL+"/")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestALateAnswerShowsAtTheSameFrame(t *testing.T) {
	// The page asks for something in its frames, and the server takes its time, more or less of it.
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(50*time.Millisecond + rand.N(300*time.Millisecond))
			fmt.Fprint(w, "answer")
			return
		}
		fmt.Fprint(w, `<!doctype html><body><script>
			const diary = [];
			let n = 0;
			setInterval(() => diary.push("timer " + performance.now()), 20);
			requestAnimationFrame(function frame() {
				requestAnimationFrame(frame);
				diary.push("frame " + n);
				if (n++ % 3 == 1) fetch("slow?" + n).then((r) => r.text()).then((text) => diary.push(text + " " + performance.now()));
			});
		</script>`)
	})
	b := launch(t, c)
	var want []string
	for range 4 {
		got := diary(t, b, c, small, 8)
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Fatalf("two runs differ:\n%s\n%s", got, want)
		}
	}
	if last := want[7]; strings.Count(last, "answer") != 2 || !strings.Contains(want[2], "answer") {
		t.Errorf("the answers came late: %s", last)
	}
}

func TestLoadingTimeDoesNotShow(t *testing.T) {
	font, err := os.ReadFile("../../examples/assets/NotoSerifDisplay-Regular.woff2")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"/font.woff2": font,
		"/style.css":  []byte(`@font-face { font-family: Slow; src: url(font.woff2) } body { font: 20px/1 Slow; margin: 0 } h1, p { font-size: 20px; margin: 0 } h1 { animation: in .5s } @keyframes in { from { opacity: 0 } }`),
		"/late.js":    []byte(`late.textContent = performance.now() + " " + Date.now(); setInterval(() => late.append("."), 30)`),
		"/image.svg":  []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20" fill="red"/></svg>`),
		"/data.json":  []byte(`{"text": "data"}`),
	}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if file := files[r.URL.Path]; file != nil {
			time.Sleep(rand.N(150 * time.Millisecond))
			w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(r.URL.Path)))
			w.Write(file)
			return
		}
		fmt.Fprint(w, `<!doctype html><link rel="stylesheet" href="style.css"><body><h1>Slow</h1><img src="image.svg"><p id="late"></p><p id="data"></p>
			<script>fetch("data.json").then((r) => r.json()).then(({ text }) => data.textContent = text)</script>
			<script async src="late.js"></script>`)
	})
	b := launch(t, c)
	var want []Frame
	for run := range 4 {
		got, _ := play(t, b, c, small, 0, 6, job.SeekReplay, "")
		if want == nil {
			want = got
		}
		for n := range got {
			if string(got[n].PNG) != string(want[n].PNG) {
				t.Fatalf("frame %d of run %d is another picture than in the first run", n, run)
			}
		}
	}
	if distinct(want) < 5 {
		t.Errorf("only %d of 6 frames are different pictures", distinct(want))
	}
}

func TestAMissingAssetInTheMiddleIsAnErrorThatNamesIt(t *testing.T) {
	c := composition(t, `<body><script>setTimeout(() => document.body.innerHTML = "<img src=gone.png>", 90)</script>`)
	b := launch(t, c)
	p := open(t, b, c, small)
	var last int64
	err := p.Play(t.Context(), 0, 12, job.SeekReplay, func(f Frame) error { last = f.Index; return nil })
	wantUser(t, err, "missing image gone.png", "404", "--allow-missing-assets")
	if last > 4 {
		t.Errorf("the error came after frame %d, want it soon after the request in frame 3", last)
	}

	o := small
	o.AllowMissing = true
	if frames, _ := play(t, b, c, o, 0, 12, job.SeekReplay, ""); len(frames) != 12 {
		t.Errorf("with AllowMissing there are %d frames of 12", len(frames))
	}
}

func TestAnImageInTheMiddleIsThereInTheFrameAfterItsAnswer(t *testing.T) {
	c := folder(t, map[string]string{
		"index.html": `<!doctype html><style>body { margin: 0 }</style><body><script>setTimeout(() => document.body.innerHTML = "<img src=red.svg>", 90)</script>`,
		"red.svg":    `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><rect width="90" height="90" fill="red"/></svg>`,
	})
	frames, _ := play(t, launch(t, c), c, small, 0, 6, job.SeekReplay, "")
	red := color.NRGBA{255, 0, 0, 255}
	// Asked for at 90 ms, answered 10 ms later: frame 3, at 100 ms, may have it; frame 4 has to.
	if pixel(t, frames[2], 5, 5) == red || pixel(t, frames[4], 5, 5) != red {
		t.Errorf("the picture's corner is %v, %v, %v in frames 2, 3, 4", pixel(t, frames[2], 5, 5), pixel(t, frames[3], 5, 5), pixel(t, frames[4], 5, 5))
	}
}
