package capture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

// canvasPage is a page with a canvas of the size of small that fills it; draw is called in each frame, with the
// time, c being the canvas.
func canvasPage(draw string) string {
	return `<style>body { margin: 0; overflow: hidden } canvas { display: block }</style><canvas width="160" height="90"></canvas><script>
		const c = document.querySelector("canvas");
		requestAnimationFrame(function f(t) { requestAnimationFrame(f); draw(t) });
		` + draw + `</script>`
}

// circles moves something in every frame.
const circles = `const d = c.getContext("2d");
	function draw(t) {
		d.fillStyle = "#123"; d.fillRect(0, 0, c.width, c.height);
		for (let i = 0; i < 20; i++) {
			d.fillStyle = "hsl(" + (i * 30 + t / 5) + " 80% 60%)";
			d.beginPath(); d.arc(80 + Math.cos(t / 300 + i) * i * 4, 45 + Math.sin(t / 300 + i) * i * 2, 9, 0, 7); d.fill();
		}
		d.fillStyle = "#fff"; d.font = "20px sans-serif"; d.fillText(t.toFixed(1), 10, 30);
	}`

// triangle is drawn by WebGL.
func triangle(attributes string) string {
	return `const g = c.getContext("webgl", ` + attributes + `), p = g.createProgram();
		for (const [type, text] of [[g.VERTEX_SHADER, "attribute vec2 a; uniform float t; varying vec2 v; void main() { v = a; gl_Position = vec4(mat2(cos(t), sin(t), -sin(t), cos(t)) * a, 0, 1); }"],
			[g.FRAGMENT_SHADER, "precision mediump float; varying vec2 v; void main() { gl_FragColor = vec4(v * .5 + .5, .3, 1); }"]]) {
			const s = g.createShader(type); g.shaderSource(s, text); g.compileShader(s); g.attachShader(p, s);
		}
		g.linkProgram(p); g.useProgram(p);
		g.bindBuffer(g.ARRAY_BUFFER, g.createBuffer());
		g.bufferData(g.ARRAY_BUFFER, new Float32Array([-.9, -.8, .7, -.6, .1, .9]), g.STATIC_DRAW);
		g.enableVertexAttribArray(0); g.vertexAttribPointer(0, 2, g.FLOAT, false, 0, 0);
		function draw(t) {
			g.clearColor(.1, .2, Math.abs(Math.sin(t / 200)), 1); g.clear(g.COLOR_BUFFER_BIT);
			g.uniform1f(g.getUniformLocation(p, "t"), t / 400); g.drawArrays(g.TRIANGLES, 0, 3);
		}`
}

func withWay(o Options, way job.Capture) Options {
	o.Way = way
	return o
}

// playWay plays some frames in a fast way and keeps them.
func playWay(t *testing.T, b *browser.Browser, c Composition, o Options, from, count int64) ([]Frame, error) {
	t.Helper()
	p, err := Open(t.Context(), b, c, o)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	var frames []Frame
	err = p.Play(t.Context(), from, count, job.StartStep, func(f Frame) error {
		f.Pixels = bytes.Clone(f.Pixels)
		frames = append(frames, f)
		return nil
	})
	return frames, err
}

// checkSame checks that two runs show the same to the bit.
func checkSame(t *testing.T, o Options, want, got []Frame) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d frames came, want %d", len(got), len(want))
	}
	for i, f := range got {
		picture, err := decode(want[i].PNG)
		if err != nil {
			t.Fatal(err)
		}
		if d := difference(picture.Pix, f.Pixels, o.Width); d.pixels > 0 || f.Index != want[i].Index {
			t.Errorf("frame %d differs from frame %d of the reference in %d pixels", f.Index, want[i].Index, d.pixels)
		}
		if f.Repeated != want[i].Repeated {
			t.Errorf("frame %d: Repeated is %t, of the reference %t", f.Index, f.Repeated, want[i].Repeated)
		}
	}
}

func TestTheCanvasOfAPageIsItsPictureToTheBit(t *testing.T) {
	const count = 9
	for _, test := range []struct {
		name, html    string
		width, height int
		from, count   int64
		distinct      int
	}{
		{"2D", canvasPage(circles), 160, 90, 0, count, count},
		{"2D, from the middle", canvasPage(circles), 160, 90, 7, count, count},
		{"one frame", canvasPage(circles), 160, 90, 4, 1, 1},
		{"two frames", canvasPage(circles), 160, 90, 4, 2, 2},
		{"an odd size", strings.Replace(canvasPage(circles), `width="160" height="90"`, `width="333" height="187"`, 1), 333, 187, 0, count, count},
		{"2D without alpha", canvasPage(strings.Replace(circles, `("2d")`, `("2d", {alpha: false})`, 1)), 160, 90, 0, count, count},
		{"2D that is read often", canvasPage(strings.Replace(circles, `("2d")`, `("2d", {willReadFrequently: true})`, 1)), 160, 90, 0, count, count},
		{"WebGL", canvasPage(triangle(`{}`)), 160, 90, 0, count, count},
		{"WebGL, from the middle", canvasPage(triangle(`{}`)), 160, 90, 5, count, count},
		{"WebGL that keeps its buffer", canvasPage(triangle(`{preserveDrawingBuffer: true, alpha: false, antialias: false}`)), 160, 90, 0, count, count},
		{"a timer", canvasPage(circles + `; const show = draw; draw = () => {}; show(0); setInterval(() => show(performance.now()), 80)`), 160, 90, 0, count, 4},
		{"a page that seeks", canvasPage(circles + `; const show = draw; draw = () => {}; window.helios = {seek: (s) => show(s * 1000)}`), 160, 90, 0, count, count},
		{"in boxes", `<main><section>` + canvasPage(circles) + `</section></main>`, 160, 90, 0, count, count},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, o := composition(t, test.html), small
			o.Width, o.Height = test.width, test.height
			b := launch(t, c)
			want, _ := play(t, b, c, o, test.from, test.count, job.StartStep, "")
			if n := distinct(want); n < test.distinct {
				t.Errorf("%d of %d frames are different pictures, want %d", n, len(want), test.distinct)
			}
			got, err := playWay(t, b, c, withWay(o, job.CaptureCanvas), test.from, test.count)
			if err != nil {
				t.Fatal(err)
			}
			checkSame(t, o, want, got)
		})
	}
}

func wantUnfit(t *testing.T, err error, why string) {
	t.Helper()
	u := new(UnfitError)
	if !errors.As(err, &u) || !strings.Contains(u.Why, why) {
		t.Fatalf("the error is %v, want an UnfitError with %q", err, why)
	}
	wantUser(t, err, why, "--capture reference")
}

// What a page shows besides its canvas is noticed in the very frame that shows it, not in those that are compared
// alone.
func TestAPageThatIsMoreThanItsCanvasIsNoticed(t *testing.T) {
	const later = `setTimeout(() => { %s }, 140);` // before frame 5 of 12
	for name, test := range map[string]struct{ js, why string }{
		"a text on it":             {`document.body.insertAdjacentHTML("beforeend", "<p style='position:fixed;top:0'>.</p>")`, "there is a p element"},
		"a text node":              {`document.body.append("x")`, "there is text"},
		"a pixel on it":            {`document.body.insertAdjacentHTML("beforeend", "<i style='position:fixed;top:0;left:0;width:1px;height:1px;background:red'></i>")`, "there is a i element"},
		"made by a style":          {`document.head.insertAdjacentHTML("beforeend", "<style>body::after { content: 'x'; position: fixed; top: 0 }</style>")`, "::after"},
		"another canvas":           {`document.body.append(document.createElement("canvas"))`, "more than one canvas"},
		"no canvas":                {`c.remove()`, "no canvas"},
		"a canvas of another size": {`c.width = 100`, "100x90 pixels"},
		"a canvas of other width":  {`c.style.width = "100px"`, "does not fill"},
		"a canvas that is moved":   {`c.style.marginLeft = "1px"`, "does not fill"},
		"an opacity":               {`c.style.opacity = .9`, "opacity"},
		"an opacity of the body":   {`document.body.style.opacity = .9`, "opacity"},
		"a filter":                 {`document.documentElement.style.filter = "blur(2px)"`, "filter"},
		"an animation":             {`c.animate([{opacity: 0}, {opacity: 1}], 1000)`, "opacity"},
		"round corners":            {`c.style.borderRadius = "5px"`, "borderTopLeftRadius"},
		"a shadow tree":            {`document.body.append(Object.assign(document.createElement("div")).attachShadow({mode: "open"}).host)`, "shadow tree"},
		"a hidden canvas":          {`c.style.visibility = "hidden"`, "visibility"},
		"a hole":                   {`d.clearRect(9, 9, 1, 1); draw = () => {}`, "not opaque"},
		"a dialog":                 {`document.body.append(document.createElement("dialog")); document.querySelector("dialog").showModal()`, "there is a dialog element"},
	} {
		t.Run(name, func(t *testing.T) {
			c := composition(t, canvasPage(circles+fmt.Sprintf(later, test.js)))
			frames, err := playWay(t, launch(t, c), c, withWay(small, job.CaptureCanvas), 0, 12)
			wantUnfit(t, err, test.why)
			if len(frames) > 5 {
				t.Errorf("%d frames were handed out", len(frames))
			}
		})
	}
}

func TestAPictureThatIsNotThatOfTheReferenceIsNoticed(t *testing.T) {
	c := composition(t, canvasPage(circles+`; document.querySelector("style").append("canvas { image-rendering: pixelated; box-shadow: inset 0 0 9px red; background: red }")`))
	if _, err := playWay(t, launch(t, c), c, withWay(small, job.CaptureCanvas), 0, 3); err != nil {
		t.Errorf("nothing of that shows: %v", err)
	}
	// The picture is taken before the page draws again.
	c = composition(t, canvasPage(circles+`; let resized = 0; new ResizeObserver(() => { if (!resized++) return; d.fillStyle = "red"; d.fillRect(0, 0, 20, 20) }).observe(document.body);
		setTimeout(() => document.body.style.height = "95px", 390)`))
	_, err := playWay(t, launch(t, c), c, withWay(small, job.CaptureCanvas), 0, 13)
	wantUnfit(t, err, "frame 12 is not the picture of the reference: 400 pixels differ")
}

func TestAFrameThatIsNotTakenYetIsNotOverwritten(t *testing.T) {
	c := composition(t, canvasPage(circles))
	const count = 14
	want, _ := play(t, launch(t, c), c, small, 0, count, job.StartStep, "")
	p := open(t, launch(t, c), c, withWay(small, job.CaptureCanvas))
	written := func() uint64 {
		head := make([]byte, headSize)
		if _, err := p.raw.ring.file.ReadAt(head, 0); err != nil {
			t.Fatal(err)
		}
		return binary.LittleEndian.Uint64(head[p.raw.ring.Counter:])
	}
	var got []Frame
	err := p.Play(t.Context(), 0, count, job.StartStep, func(f Frame) error {
		// The page is drawn for as long as there is room, and not longer.
		full := uint64(min(count, f.Index+p.raw.ring.Slots))
		for written() < full {
			if t.Context().Err() != nil {
				return t.Context().Err()
			}
			time.Sleep(time.Millisecond)
		}
		if n := written(); n > full {
			t.Errorf("%d frames were written while frame %d was in use, more than the %d slots", n, f.Index, p.raw.ring.Slots)
		}
		f.Pixels = bytes.Clone(f.Pixels)
		got = append(got, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	checkSame(t, small, want, got)
}

func TestAnErrorOfTheReceiverEndsThePlay(t *testing.T) {
	c := composition(t, canvasPage(circles))
	p := open(t, launch(t, c), c, withWay(small, job.CaptureCanvas))
	enough := errors.New("enough")
	n := 0
	err := p.Play(t.Context(), 0, 1000, job.StartStep, func(Frame) error {
		if n++; n == 5 {
			return enough
		}
		return nil
	})
	if err != enough || n != 5 {
		t.Errorf("after %d frames the error is %v", n, err)
	}
}

func TestACancelledPlayEnds(t *testing.T) {
	c := composition(t, canvasPage(circles))
	p := open(t, launch(t, c), c, withWay(small, job.CaptureCanvas))
	ctx, cancel := context.WithCancel(t.Context())
	err := p.Play(ctx, 0, 1000, job.StartStep, func(f Frame) error {
		if f.Index == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestABrowserThatDiesWhileFramesAreOnTheirWay(t *testing.T) {
	c := composition(t, canvasPage(circles))
	b := launch(t, c)
	p := open(t, b, c, withWay(small, job.CaptureCanvas))
	last := int64(-1)
	err := p.Play(t.Context(), 0, 1000, job.StartStep, func(f Frame) error {
		if f.Index != last+1 {
			t.Errorf("frame %d came after frame %d", f.Index, last)
		}
		if last = f.Index; last == 3 {
			b.Close()
		}
		return nil
	})
	if fault.Of(err) != fault.Transient {
		t.Errorf("the error is not transient: %v", err)
	}
}

// A ring without room says so in its head.
func TestAWorkerThatCannotWriteIsUnfit(t *testing.T) {
	c := composition(t, canvasPage(circles))
	p := open(t, launch(t, c), c, withWay(small, job.CaptureCanvas))
	// The worker finds a picture of a size that it has no room for.
	err := p.clock.world.Evaluate(t.Context(), `new Promise((done) => { const o = new OffscreenCanvas(5, 5); o.getContext("2d"); raw.take(o); done() })`, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = p.Play(t.Context(), 0, 10, job.StartStep, func(f Frame) error { return nil })
	wantUnfit(t, err, "the picture is 5x5, not 160x90")
}

func TestAPageThatMayNotWriteFilesIsUnfit(t *testing.T) {
	c := composition(t, `<meta http-equiv="Content-Security-Policy" content="worker-src 'none'">`+canvasPage(circles))
	_, err := playWay(t, launch(t, c), c, withWay(small, job.CaptureCanvas), 0, 1)
	wantUnfit(t, err, "cannot write a file")
}

// Chromium keeps fewer of the images that it has unpacked for a canvas than for the page itself.
func TestAWayThatIsSlowerIsNotChosen(t *testing.T) {
	var photograph bytes.Buffer
	if err := png.Encode(&photograph, image.NewGray(image.Rect(0, 0, 4000, 3000))); err != nil {
		t.Fatal(err)
	}
	html := `<style>img { width: 300px; height: 225px; animation: go 9s } @keyframes go { to { translate: 90px 90px } }</style>`
	for i := range 16 {
		html += fmt.Sprintf(`<img src="photograph.png?%d">`, i)
	}
	c := folder(t, map[string]string{"index.html": "<!doctype html>" + html, "photograph.png": photograph.String()})
	b, o := launch(t, c), small
	o.Width, o.Height = 1920, 1080
	report, err := Inspect(t.Context(), b, c, o)
	if err != nil {
		t.Fatal(err)
	}
	way, why, err := Choose(t.Context(), b, launch(t, c), c, o, report, []int64{0, 9, 4})
	if err != nil || way != job.CaptureReference || !strings.Contains(why, "it is slower") {
		t.Errorf("the way is %s, because %q; %v", way, why, err)
	}
}

func TestAFastWayIsChosenByProof(t *testing.T) {
	for _, test := range []struct {
		name, html string
		want       job.Capture
		why        string
	}{
		{"circles", canvasPage(circles), job.CaptureCanvas, "the pictures are those of the reference at frames [0 4 9]"},
		{"a caption", canvasPage(circles) + "<h1>Caption</h1>", job.CaptureElements, "the pictures are those of the reference at frames [0 4 9]"},
		{"a canvas that is stretched", canvasPage(circles) + "<style>canvas { width: 150px; height: 85px }</style>", job.CaptureReference,
			"canvas will not do: in frame 0 the canvas does not fill the page; elements will not do: in frame 0 a canvas is not shown at its own size"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := composition(t, test.html)
			b := launch(t, c)
			report, err := Inspect(t.Context(), b, c, small)
			if err != nil {
				t.Fatal(err)
			}
			way, why, err := Choose(t.Context(), b, launch(t, c), c, small, report, []int64{0, 9, 4})
			if err != nil || way != test.want || !strings.Contains(why, test.why) {
				t.Errorf("the way is %s, because %q; %v", way, why, err)
			}
		})
	}
}
