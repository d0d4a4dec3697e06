package capture

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"testing"

	"helios/shared/job"
)

// animatedGIF returns a data URL of an image that is red, green and blue for 50 ms each, in a loop.
func animatedGIF(t *testing.T) string {
	t.Helper()
	g := &gif.GIF{}
	for _, c := range []color.Color{color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}} {
		g.Image = append(g.Image, image.NewPaletted(image.Rect(0, 0, 60, 60), color.Palette{c}))
		g.Delay = append(g.Delay, 5)
	}
	var buf bytes.Buffer
	if err := gif.EncodeAll(&buf, g); err != nil {
		t.Fatal(err)
	}
	return "data:image/gif;base64," + base64.StdEncoding.EncodeToString(buf.Bytes())
}

// blackPNG returns a data URL of a black image.
func blackPNG(t *testing.T) string {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewGray(image.Rect(0, 0, 50, 50))); err != nil {
		t.Fatal(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(buf.Bytes())
}

// Partitions that start at any frame show the same frames, also in another browser.
func TestPartitionsDoNotChangeFrames(t *testing.T) {
	const frames = 14
	stripes := `<body style="height: 3000px; background: repeating-linear-gradient(red, blue 37px)">`
	for _, test := range []struct {
		name     string
		html     string
		distinct int
	}{
		{"SMIL", `<svg width="160" height="90"><circle r="9"><animateMotion dur="1s" path="M0 0L150 80"/></circle></svg>`,
			frames},
		{"negative delay", `<style>
			div { width: 20px; height: 20px; background: red; animation: go 2s -1.3s linear infinite }
			@keyframes go { to { transform: translate(99px, 60px) rotate(300deg) } }</style><div></div>`, frames},
		{"steps", `<style>div { height: 20px; background: red; animation: go 1s steps(30) }
			@keyframes go { from { width: 0 } to { width: 150px } }</style><div></div>`, frames},
		{"frame number from the time", `<style>body { font: 60px monospace }</style><p id="p"></p><script>
			requestAnimationFrame(function f(t) { requestAnimationFrame(f); p.textContent = Math.floor(t * 30 / 1000) })
			</script>`, frames},
		{"transition", `<style>div { width: 20px; height: 20px; background: red; transition: all .4s } .on { width: 150px }
			</style><div></div><script>requestAnimationFrame(() => requestAnimationFrame(() =>
				document.querySelector("div").className = "on"))</script>`, frames - 3},
		{"filter and blend mode", `<style>
			div { width: 90px; height: 60px; background: teal; filter: blur(4px); mix-blend-mode: multiply;
				animation: go 1s linear }
			@keyframes go { to { filter: blur(0) hue-rotate(200deg) } }
			body { background: linear-gradient(red, yellow) }</style><div></div>`, frames},
		{"image on a canvas", `<canvas width="160" height="90"></canvas><script>
			const i = new Image(); i.src = "` + blackPNG(t) + `";
			const c = document.querySelector("canvas").getContext("2d");
			requestAnimationFrame(function f(t) {
				requestAnimationFrame(f); c.clearRect(0, 0, 160, 90); c.drawImage(i, t / 5, 10);
			})</script>`, frames},
		{"scroll by script", stripes + `<script>let y = 0; setInterval(() => scrollTo(0, y += 3), 20)</script>`, frames},
		{"smooth scroll", stripes + `<script>scrollTo({top: 900, behavior: "smooth"})</script>`, frames - 4},
		{"ResizeObserver", `<body><p style="height: 1px"></p><script>
			const p = document.body;
			new ResizeObserver(() => { p.append(".") }).observe(document.querySelector("p"));
			setInterval(() => document.querySelector("p").style.height = Math.random() * 60 + "px", 30)</script>`, frames - 2},
		{"random numbers", `<body style="font: 40px monospace"><script>requestAnimationFrame(function f() {
			requestAnimationFrame(f);
			document.body.textContent = Math.random().toFixed(4) + crypto.getRandomValues(new Uint8Array(1));
			})</script>`, frames},
		{"video without a source", `<h1 style="animation: go 1s linear; margin: 0">x</h1><video autoplay muted></video>
			<style>@keyframes go { to { opacity: 0 } }</style>`, frames},
		{"audio element", `<audio autoplay controls src="data:audio/wav;base64,` +
			`UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="></audio>`, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := composition(t, test.html)
			all, _ := play(t, launch(t, c), c, small, 0, frames, job.SeekReplay, "")
			if n := distinct(all); n < test.distinct {
				t.Errorf("%d of %d frames are distinct, want at least %d", n, frames, test.distinct)
			}
			another := launch(t, c)
			for _, from := range []int64{0, 8} {
				part, _ := play(t, another, c, small, from, 3, job.SeekReplay, "")
				for _, f := range part {
					if !bytes.Equal(f.PNG, all[f.Index].PNG) {
						t.Errorf("frame %d differs in a partition that starts at frame %d", f.Index, from)
					}
				}
			}
		})
	}
}

func TestPartitionsDoNotChangeAnimatedImages(t *testing.T) {
	t.Parallel()
	c := composition(t, fmt.Sprintf(`<style>body { margin: 0 }</style><img src="%s">`, animatedGIF(t)))
	o := small
	o.FPS = job.Rate{Num: 25, Den: 1}
	names := map[color.NRGBA]byte{{255, 0, 0, 255}: 'r', {0, 255, 0, 255}: 'g', {0, 0, 255, 255}: 'b'}
	b := launch(t, c)
	const frames = 12
	var all []byte
	for _, from := range []int64{0, 0, 3, 7} {
		part, _ := play(t, b, c, o, from, frames-from, job.SeekReplay, "")
		var got []byte
		for _, f := range part {
			got = append(got, names[pixel(t, f, 30, 30)])
		}
		if all == nil {
			all = got
		}
		if !bytes.Equal(got, all[from:]) {
			t.Errorf("from frame %d, the colours are %s, want %s", from, got, all[from:])
		}
	}
	// Chromium changes images up to one frame too early.
	for n, got := range all {
		exact := "rgb"[n*40/50%3]
		early := "rgb"[(n*40+40)/50%3]
		late := "rgb"[max(0, n*40-40)/50%3]
		if got != exact && got != early && got != late {
			t.Errorf("frame %d is %c, want %c", n, got, exact)
		}
	}
}

// The timers of a worker run in real time, so they cannot animate a page. Its clocks follow the page.
func TestWorkerClock(t *testing.T) {
	t.Parallel()
	c := folder(t, map[string]string{
		"index.html": `<!doctype html><script>
			let times = [];
			const w = new Worker("worker.js");
			w.onmessage = (e) => times.push(e.data);
			requestAnimationFrame(function f() { requestAnimationFrame(f); w.postMessage(0) });
		</script>`,
		"worker.js": `onmessage = () => postMessage([Date.now() - 1704067200000, performance.now()])`,
	})
	// A frame lasts one minute, unlike in real time.
	o := small
	o.FPS = job.Rate{Num: 1, Den: 60}
	_, values := play(t, launch(t, c), c, o, 0, 30, job.SeekReplay, "times")
	var times [][2]float64
	if err := json.Unmarshal([]byte(values[29]), &times); err != nil || len(times) == 0 {
		t.Fatalf("the times are %s: %v", values[29], err)
	}
	for _, got := range times {
		if got[0] < 0 || got[0] > 29*60_000 {
			t.Errorf("Date is %v ms after frame 0", got[0])
		}
	}
	if last := times[len(times)-1]; last[0] < 20*60_000 || last[1] < 20*60_000-1000 {
		t.Errorf("in the last of 30 minutes, Date and performance.now() are %v", last)
	}
}
