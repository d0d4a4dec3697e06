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

// blinking returns an animated GIF as a data URL: red, green and blue for 50 ms each, for ever.
func blinking(t *testing.T) string {
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

// still returns an image as a data URL.
func still(t *testing.T) string {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewGray(image.Rect(0, 0, 50, 50))); err != nil {
		t.Fatal(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(buf.Bytes())
}

// Each of these pages is drawn from its start several times, and entered in its middle. All that is seen of a
// frame has to be the same picture.
func TestWhatMovesMovesTheSameInEveryPartition(t *testing.T) {
	const moving = 14 // the frames that are drawn, all of them different pictures if nothing else is said
	for _, test := range []struct {
		name     string
		html     string
		distinct int
	}{
		{"SMIL", `<svg width="160" height="90"><circle r="9"><animateMotion dur="1s" path="M0 0L150 80"/></circle></svg>`, moving},
		{"a negative delay", `<style>div { width: 20px; height: 20px; background: red; animation: go 2s -1.3s linear infinite } @keyframes go { to { transform: translate(99px, 60px) rotate(300deg) } }</style><div></div>`, moving},
		{"steps", `<style>div { height: 20px; background: red; animation: go 1s steps(30) } @keyframes go { from { width: 0 } to { width: 150px } }</style><div></div>`, moving},
		{"a frame number counted from the time", `<style>body { font: 60px monospace }</style><p id="p"></p><script>requestAnimationFrame(function f(t) { requestAnimationFrame(f); p.textContent = Math.floor(t * 30 / 1000) })</script>`, moving},
		{"a transition on hover of the page's own making", `<style>div { width: 20px; height: 20px; background: red; transition: all .4s } .on { width: 150px }</style><div></div><script>requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector("div").className = "on"))</script>`, moving - 3},
		{"a filter and a blend", `<style>div { width: 90px; height: 60px; background: teal; filter: blur(4px); mix-blend-mode: multiply; animation: go 1s linear } @keyframes go { to { filter: blur(0) hue-rotate(200deg) } } body { background: linear-gradient(red, yellow) }</style><div></div>`, moving},
		{"a canvas with an image", `<canvas width="160" height="90"></canvas><script>
			const i = new Image(); i.src = "` + still(t) + `";
			const c = document.querySelector("canvas").getContext("2d");
			requestAnimationFrame(function f(t) { requestAnimationFrame(f); c.clearRect(0, 0, 160, 90); c.drawImage(i, t / 5, 10) })</script>`, moving},
		{"a scroll by script", `<body style="height: 3000px; background: repeating-linear-gradient(red, blue 37px)"><script>let y = 0; setInterval(() => scrollTo(0, y += 3), 20)</script>`, moving},
		{"a smooth scroll", `<body style="height: 3000px; background: repeating-linear-gradient(red, blue 37px)"><script>scrollTo({top: 900, behavior: "smooth"})</script>`, moving - 4},
		{"an observer", `<body><p style="height: 1px"></p><script>new ResizeObserver(() => { p.append(".") }).observe(document.querySelector("p")); const p = document.body;
			setInterval(() => document.querySelector("p").style.height = Math.random() * 60 + "px", 30)</script>`, moving - 2},
		{"random numbers", `<body style="font: 40px monospace"><script>requestAnimationFrame(function f() { requestAnimationFrame(f); document.body.textContent = Math.random().toFixed(4) + crypto.getRandomValues(new Uint8Array(1)) })</script>`, moving},
		{"a video without a source", `<h1 style="animation: go 1s linear; margin: 0">x</h1><video autoplay muted></video><style>@keyframes go { to { opacity: 0 } }</style>`, moving},
		{"an audio element", `<audio autoplay controls src="data:audio/wav;base64,UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="></audio>`, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := composition(t, test.html)
			b := launch(t, c)
			all, _ := play(t, b, c, small, 0, moving, job.SeekReplay, "")
			if n := distinct(all); n < test.distinct {
				t.Errorf("%d of %d frames are different pictures, want %d", n, moving, test.distinct)
			}
			b = launch(t, c)
			for _, from := range []int64{0, 8} {
				part, _ := play(t, b, c, small, from, 3, job.SeekReplay, "")
				for _, f := range part {
					if !bytes.Equal(f.PNG, all[f.Index].PNG) {
						t.Errorf("entered at frame %d, frame %d is another picture", from, f.Index)
					}
				}
			}
		})
	}
}

func TestAnAnimatedImageShowsTheSameInEveryPartition(t *testing.T) {
	c := composition(t, fmt.Sprintf(`<style>body { margin: 0 }</style><img src="%s">`, blinking(t)))
	o := small
	o.FPS = job.Rate{Num: 25, Den: 1}
	names := map[color.NRGBA]byte{{255, 0, 0, 255}: 'r', {0, 255, 0, 255}: 'g', {0, 0, 255, 255}: 'b'}
	b := launch(t, c)
	const frames = 12
	var all []byte
	for _, from := range []int64{0, 0, 3, 7} {
		drawn, _ := play(t, b, c, o, from, frames-from, job.SeekReplay, "")
		var got []byte
		for _, f := range drawn {
			got = append(got, names[pixel(t, f, 30, 30)])
		}
		if all == nil {
			all = got
		}
		if !bytes.Equal(got, all[from:]) {
			t.Errorf("entered at frame %d the image is %s, want %s", from, got, all[from:])
		}
	}
	// Chromium moves images on by up to a frame too early.
	for n, got := range all {
		right := "rgb"[n*40/50%3]
		early := "rgb"[(n*40+40)/50%3]
		late := "rgb"[max(0, n*40-40)/50%3]
		if got != right && got != early && got != late {
			t.Errorf("frame %d is %c, want %c", n, got, right)
		}
	}
}

func TestWorkersReadTheClockOfThePage(t *testing.T) {
	// When a worker's timers fire is up to the machine: they are no way to move a picture.
	c := folder(t, map[string]string{
		"index.html": `<!doctype html><script>
			let answers = [];
			const w = new Worker("worker.js");
			w.onmessage = (e) => answers.push(e.data);
			requestAnimationFrame(function f() { requestAnimationFrame(f); w.postMessage(0) });
		</script>`,
		"worker.js": `onmessage = () => postMessage([Date.now() - 1704067200000, performance.now()])`,
	})
	// A minute goes by from frame to frame, which no real clock shows.
	o := small
	o.FPS = job.Rate{Num: 1, Den: 60}
	_, values := play(t, launch(t, c), c, o, 0, 30, job.SeekReplay, "answers")
	var answers [][2]float64
	if err := json.Unmarshal([]byte(values[29]), &answers); err != nil || len(answers) == 0 {
		t.Fatalf("the worker said %s: %v", values[29], err)
	}
	for _, a := range answers {
		if a[0] < 0 || a[0] > 29*60_000 {
			t.Errorf("the worker's Date is %v ms after frame 0", a[0])
		}
	}
	if last := answers[len(answers)-1]; last[0] < 20*60_000 || last[1] < 20*60_000-1000 {
		t.Errorf("the worker's clocks say %v in the last of 30 minutes", last)
	}
}
