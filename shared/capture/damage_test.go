package capture

import (
	"bytes"
	"strings"
	"testing"

	"helios/shared/job"
)

// Play captures every visible change after unchanged frames, however small it is.
func TestSmallChangesAreCaptured(t *testing.T) {
	const frames = 12
	for name, html := range map[string]string{
		"one level of a colour": `<body style="background: rgb(100, 100, 100)"><script>
			change = n => { document.body.style.background = "rgb(100, 100, " + (100 + n) + ")" }</script>`,
		"a pixel of a canvas": `<canvas width="160" height="90"></canvas><script>
			change = n => { document.querySelector("canvas").getContext("2d").fillRect(n, 0, 1, 1) }</script>`,
		"a pixel of WebGL": `<canvas width="160" height="90"></canvas><script>
			const gl = document.querySelector("canvas").getContext("webgl", { preserveDrawingBuffer: true });
			change = n => {
				gl.enable(gl.SCISSOR_TEST); gl.scissor(n, 60, 1, 1); gl.clearColor(1, 0, 0, 1); gl.clear(gl.COLOR_BUFFER_BIT);
			}</script>`,
		"a canvas of a worker": `<canvas width="160" height="90"></canvas><script>
			const source = "onmessage = ({ data: { canvas, n } }) => {" +
				"if (canvas) context = canvas.getContext('2d'); else context.fillRect(n, 0, 1, 1) }";
			const worker = new Worker(URL.createObjectURL(new Blob([source])));
			const canvas = document.querySelector("canvas").transferControlToOffscreen();
			worker.postMessage({ canvas }, [canvas]);
			change = n => { worker.postMessage({ n }) }</script>`,
		"a letter": `<p>text</p><script>change = n => { document.querySelector("p").append(n) }</script>`,
		"a scroll by a pixel": `<p>text</p><div style="height: 500px"></div>
			<script>change = n => { scrollBy(0, 1) }</script>`,
		"an outline": `<img src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"><script>
			change = n => { document.images[0].style.outline = n + "px solid" }</script>`,
		"text in an iframe": `<iframe srcdoc="<p>text</p>"></iframe>
			<script>change = n => { frames[0].document.body.append(n) }</script>`,
		"text in a shadow root": `<div></div><script>
			const root = document.querySelector("div").attachShadow({ mode: "open" });
			change = n => { root.append(n) }</script>`,
		"a new animation": `<p style="position: absolute">text</p><script>change = n => {
			document.querySelector("p").animate({ translate: ["0", n + "px"] }, { duration: 1, fill: "forwards" }) }</script>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := composition(t, `<meta charset="utf-8">`+html+`<script>
				let n = -1;
				requestAnimationFrame(function frame() {
					if ([5, 6, 9].includes(++n)) change(n);
					requestAnimationFrame(frame);
				});
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
			changed := 0
			for i, f := range got {
				// A worker may draw a frame earlier or later.
				settled := !strings.Contains(html, "new Worker") || i < 5 || i == 8 || i == frames-1
				if settled && !bytes.Equal(f.PNG, want[i]) {
					t.Errorf("frame %d differs from its screenshot", i)
				}
				if i > 0 && !f.Repeated {
					changed++
				}
			}
			if changed < 2 || changed > 5 {
				t.Errorf("%d frames changed, want 3", changed)
			}
		})
	}
}

func TestUnchangedFramesAreNotCaptured(t *testing.T) {
	t.Parallel()
	c := composition(t, `<p>text</p><script>
		requestAnimationFrame(function frame() { requestAnimationFrame(frame) })</script>`)
	p := open(t, launch(t, c), c, small)
	if err := p.frames.start(t.Context(), p.clock.world); err != nil {
		t.Fatal(err)
	}
	screenshots := 0
	for n := range int64(10) {
		before := p.last
		png, err := p.runFrame(t.Context(), n, outputIfDamaged)
		if err != nil {
			t.Fatal(err)
		}
		if before == nil || &png[0] != &before[0] {
			screenshots++
		}
	}
	if screenshots != 1 {
		t.Errorf("there are %d screenshots of 10 frames, want 1", screenshots)
	}
}

func TestRepeatPredictor(t *testing.T) {
	t.Parallel()
	c := composition(t, `<p>text</p>`)
	p := open(t, launch(t, c), c, small)
	r := newRepeatPredictor(p)
	check := func(repeated, want bool) {
		t.Helper()
		if err := r.record(t.Context(), repeated); err != nil {
			t.Fatal(err)
		}
		if r.likely() != want {
			t.Errorf("likely() = %t, want %t", !want, want)
		}
	}
	for range 20 {
		check(false, false)
	}
	for range 20 { // a page that changes in every other frame
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
