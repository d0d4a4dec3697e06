package capture

import (
	"bytes"
	"strings"
	"testing"

	"helios/shared/job"
)

// Every change that can be seen is seen, however small it is, and also the first one after a rest.
func TestAChangeIsSeenAfterARest(t *testing.T) {
	const frames = 12
	for name, html := range map[string]string{
		"a colour by the least step": `<body style="background: rgb(100, 100, 100)"><script>change = n => { document.body.style.background = "rgb(100, 100, " + (100 + n) + ")" }</script>`,
		"a pixel of a canvas":        `<canvas width="160" height="90"></canvas><script>change = n => { document.querySelector("canvas").getContext("2d").fillRect(n, 0, 1, 1) }</script>`,
		"a pixel of WebGL": `<canvas width="160" height="90"></canvas><script>const gl = document.querySelector("canvas").getContext("webgl", { preserveDrawingBuffer: true });
			change = n => { gl.enable(gl.SCISSOR_TEST); gl.scissor(n, 60, 1, 1); gl.clearColor(1, 0, 0, 1); gl.clear(gl.COLOR_BUFFER_BIT) }</script>`,
		"a canvas that a worker draws": `<canvas width="160" height="90"></canvas><script>const worker = new Worker(URL.createObjectURL(new Blob(["onmessage = ({ data: { canvas, n } }) => { if (canvas) context = canvas.getContext('2d'); else context.fillRect(n, 0, 1, 1) }"])));
			const canvas = document.querySelector("canvas").transferControlToOffscreen(); worker.postMessage({ canvas }, [canvas]);
			change = n => { worker.postMessage({ n }) }</script>`,
		"a letter":            `<p>text</p><script>change = n => { document.querySelector("p").append(n) }</script>`,
		"a scroll by a pixel": `<p>text</p><div style="height: 500px"></div><script>change = n => { scrollBy(0, 1) }</script>`,
		"an image":            `<img src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"><script>change = n => { document.images[0].style.outline = n + "px solid" }</script>`,
		"what is in a frame":  `<iframe srcdoc="<p>text</p>"></iframe><script>change = n => { frames[0].document.body.append(n) }</script>`,
		"what is in a shadow": `<div></div><script>const root = document.querySelector("div").attachShadow({ mode: "open" }); change = n => { root.append(n) }</script>`,
		"an animation that sets in": `<p style="position: absolute">text</p><script>change = n => {
			document.querySelector("p").animate({ translate: ["0", n + "px"] }, { duration: 1, fill: "forwards" }) }</script>`,
	} {
		t.Run(name, func(t *testing.T) {
			c := composition(t, `<meta charset="utf-8">`+html+`<script>
				let n = -1;
				requestAnimationFrame(function frame() { if ([5, 6, 9].includes(++n)) change(n); requestAnimationFrame(frame) });
			</script>`)
			b := launch(t, c)
			p := open(t, b, c, small)
			var want [][]byte
			for n := range int64(frames) {
				png, err := p.runFrame(t.Context(), n, outputScreenshot)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, bytes.Clone(png))
			}
			got, _ := play(t, b, c, small, 0, frames, job.SeekReplay, "")
			seen := 0
			for i, f := range got {
				// A worker draws when it gets to it: a frame earlier or later.
				settled := !strings.Contains(html, "new Worker") || i < 5 || i == 8 || i == frames-1
				if settled && !bytes.Equal(f.PNG, want[i]) {
					t.Errorf("frame %d is not the picture that is taken without asking", i)
				}
				if i > 0 && !f.Repeated {
					seen++
				}
			}
			if seen < 2 || seen > 5 {
				t.Errorf("%d frames are new, where the page changes three times", seen)
			}
		})
	}
}

// Of a page that is at rest no pictures are taken.
func TestARestTakesNoPictures(t *testing.T) {
	c := composition(t, `<p>text</p><script>requestAnimationFrame(function frame() { requestAnimationFrame(frame) })</script>`)
	p := open(t, launch(t, c), c, small)
	if err := p.frames.start(t.Context(), p.clock.world); err != nil {
		t.Fatal(err)
	}
	taken := 0
	for n := range int64(10) {
		before := p.last
		png, err := p.runFrame(t.Context(), n, outputIfDamaged)
		if err != nil {
			t.Fatal(err)
		}
		if before == nil || &png[0] != &before[0] {
			taken++
		}
	}
	if taken != 1 {
		t.Errorf("%d pictures were taken of 10 frames", taken)
	}
}

// A page that moves on twos is asked in every frame, and one that has not rested for long in none.
func TestWhereRestsAreLikely(t *testing.T) {
	c := composition(t, `<p>text</p>`)
	p := open(t, launch(t, c), c, small)
	r := newRepeatPredictor(p)
	check := func(repeated, want bool) {
		t.Helper()
		if err := r.record(t.Context(), repeated); err != nil {
			t.Fatal(err)
		}
		if r.likely() != want {
			t.Errorf("likely is %t", !want)
		}
	}
	for range 20 {
		check(false, false)
	}
	for range 20 {
		check(true, true)
		check(false, true)
	}
	for range 8 {
		check(false, true)
	}
	for range 20 {
		check(false, false)
	}
	check(true, true)
}
