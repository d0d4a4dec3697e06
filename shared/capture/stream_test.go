package capture

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"helios/shared/browser"
	"helios/shared/job"
)

// streamed returns the options for stream mode.
func streamed(o Options) Options {
	o.Capture = job.CaptureStream
	return o
}

// wide is the size of a page that Chromium paints in several tiles.
var wide = func() Options { o := small; o.Width, o.Height = 640, 362; return o }()

// playStreamed returns frames in stream mode.
func playStreamed(t *testing.T, b *browser.Browser, c Composition, o Options, from, count int64) (frames []Frame) {
	t.Helper()
	err := playOnce(t, b, c, streamed(o), from, count, job.SeekReplay, func(_ *Player, f Frame) error {
		f.Pixels = bytes.Clone(f.Pixels)
		frames = append(frames, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// checkSame compares frames in stream mode with screenshots.
func checkSame(t *testing.T, o Options, screenshots, frames []Frame) {
	t.Helper()
	if len(frames) != len(screenshots) {
		t.Fatalf("there are %d frames, want %d", len(frames), len(screenshots))
	}
	for i, f := range frames {
		want := screenshots[i]
		converted := make([]byte, len(f.Pixels))
		if err := toI420(want.PNG, converted, o.Width, o.Height); err != nil {
			t.Fatal(err)
		}
		luma, chroma := difference(f.Pixels, converted)
		if luma > maxLuma || chroma > maxChroma || f.Index != want.Index {
			t.Errorf("frame %d differs from screenshot %d by %d in luma and %d in chroma", f.Index, want.Index, luma, chroma)
		}
	}
}

// checkStream plays a composition in both modes and compares the frames.
func checkStream(t *testing.T, c Composition, o Options, from, count int64) []Frame {
	t.Helper()
	b := launch(t, c)
	want, _ := play(t, b, c, o, from, count, job.SeekReplay, "")
	got := playStreamed(t, b, c, o, from, count)
	checkSame(t, o, want, got)
	return got
}

func TestStreamEqualsScreenshots(t *testing.T) {
	const move = `style="animation: go 1s linear infinite alternate"><style>
		@keyframes go { from { translate: 3px 5px } to { translate: 90px 40px; rotate: 77deg } }
		body { background: linear-gradient(to right, red, yellow); font: 20px/1.2 serif }</style>`
	// moving returns a div that moves and has a style.
	moving := func(style string) string {
		return `<div ` + strings.Replace(move, `style="`, `style="`+style+` `, 1) + `text</div>`
	}
	const stripes = `background: repeating-linear-gradient(red, blue 37px)`
	smaller := func(style, before, after, draw string) string {
		page := mixedPage(style, before, after, draw)
		return strings.Replace(page, `width="640" height="361"`, `width="200" height="120"`, 1)
	}
	transparentCircles := strings.Replace(circles, `d.fillStyle = "#123"; d.fillRect(0, 0, c.width, c.height)`,
		`d.clearRect(0, 0, c.width, c.height); d.globalAlpha = .6`, 1)
	transparentTriangle := strings.Replace(triangle(`{}`),
		"clearColor(.1, .2, Math.abs(Math.sin(t / 200)), 1)", "clearColor(0, .2, 0, .2)", 1)
	offscreen := strings.NewReplacer("c.width", "o.width", "c.height", "o.height",
		`const d = c.getContext("2d");`, `const o = new OffscreenCanvas(200, 120), d = o.getContext("2d");`).Replace(circles)
	for name, html := range map[string]string{
		"boxes": `<style>
			body { margin: 0; overflow: hidden; background: linear-gradient(120deg, #123, #356);
				color: #fff; font-family: sans-serif }
			i { position: absolute; width: 80px; height: 80px; border-radius: 9px; background: tomato;
				box-shadow: 0 2px 9px #0008; animation: go 2s infinite alternate }
			@keyframes go { to { transform: translate(399px, 90px) rotate(360deg) } }
			h1 { animation: in 1s } @keyframes in { from { opacity: .2; letter-spacing: 5px } }
			</style><h1>Hello</h1><i></i><i style="left: 40px; animation-delay: -.5s"></i>`,
		"text":       `<h1 ` + move + `Quick <em>brown</em> foxes</h1><p>jump over 12345`,
		"blend mode": moving("mix-blend-mode: difference; background: lime; width: 90px;"),
		"filters":    moving("filter: blur(2px) drop-shadow(0 0 9px blue) hue-rotate(90deg);"),
		"mask and clip": moving("background: green; height: 90px; clip-path: circle(40%); " +
			"mask-image: linear-gradient(black, transparent);"),
		"no background":  `<p ` + strings.Replace(move, "body { background", "u { background", 1) + `x`,
		"image":          `<img src="` + blackPNG(t) + `"` + move,
		"animated image": `<img src="` + animatedGIF(t) + `">`,
		"will-change": `<div style="will-change: transform, opacity; animation: in 1s infinite; background: teal">A</div>
			<style>@keyframes in { to { transform: scale(1.3) translate(9px, 20px); opacity: .3 } }</style>`,
		"SVG": `<svg width="600" height="300"><filter id="f"><feGaussianBlur stdDeviation="3"/></filter>
			<circle r="9" filter="url(#f)"><animateMotion dur="1s" path="M0 0L150 80"/></circle>
			<path d="M0 0L599 20" stroke="red" stroke-width="3"/></svg>`,
		"scrolled page": `<body style="height: 3000px; ` + stripes + `">
			<script>let y = 0; setInterval(() => scrollTo(0, y += 3), 20)</script>`,
		"scrolled box": `<div id="s" style="height: 99px; overflow: scroll">
			<div style="height: 3000px; ` + stripes + `"></div></div>
			<script>let y = 0; setInterval(() => s.scrollTo(0, y += 3), 20)</script>`,
		"dialog": `<dialog id="d">Hello</dialog><p>behind</p><script>setTimeout(() => d.showModal(), 90)</script>`,
		"form": `<input value="text"><button>b</button><select><option>x</select><progress></progress><input type="range">
			<textarea>t</textarea><audio controls></audio>`,
		"fixed and sticky": `<body style="height: 2000px"><b style="position: fixed; right: 0; bottom: 0">fixed</b>
			<b style="position: sticky; top: 0">sticky</b><script>setInterval(() => scrollBy(0, 5), 30)</script>`,
		"iframe": `<iframe srcdoc="<style>b { position: absolute; animation: go 1s }
			@keyframes go { to { left: 90px } }</style><b>text</b>"></iframe>`,
		"shadow root": `<div></div><script>
			const root = document.querySelector("div").attachShadow({ mode: "closed" }); setInterval(() => root.append("x"), 30)
			</script>`,
		"3D": `<div style="perspective: 300px"><div style="animation: turn 1s; background: red; height: 90px">text</div></div>
			<style>@keyframes turn { to { transform: rotateY(60deg) } }</style>`,

		"transparent canvas behind the page": mixedPage(
			`canvas { position: fixed; inset: 0; z-index: -1 } #holder { background: #f002 }`,
			`<div id="holder">`, `</div><h1>Title</h1><b>turns</b>`, transparentCircles),
		"canvas behind positioned elements": mixedPage(``, ``,
			`<div class="full"><h1 style="opacity: .5">Title</h1><b>turns</b></div>`, circles),
		"WebGL behind the page": mixedPage(``, `<div class="full">`,
			`</div><div class="full"><h1>Title</h1><b>turns</b></div>`, triangle(`{}`)),
		"WebGL with preserveDrawingBuffer": mixedPage(``, `<div class="full">`, `</div><b>turns</b>`,
			triangle(`{preserveDrawingBuffer: true, alpha: false}`)),
		"transparent WebGL": smaller(`canvas { position: fixed; left: 33px; top: 44px }`, `<b>turns</b>`, ``,
			transparentTriangle),
		"transparent canvas in front": mixedPage(`canvas { position: fixed; inset: 0; z-index: 9; pointer-events: none }`, ``,
			`<h1>Title</h1><b>turns</b>`, transparentCircles),
		"canvas between elements": mixedPage(`canvas { position: fixed; inset: 0; z-index: 1 }`, `<h1>Title</h1>`,
			`<b style="z-index: 2">turns</b>`, transparentCircles),
		"canvas in a card": smaller(`main { background: #fffa; padding: 17px; margin: 9px } h1 { margin: 0 }`,
			`<main><h1>Chart</h1>`, `</main><b style="left: 400px">turns</b>`, circles),
		"clipped canvas with round corners": smaller(`
			main { margin: 20px; width: 150px; height: 80px; overflow: hidden; border-radius: 30px }
			canvas { margin: -10px; border-radius: 60px }`, `<main>`, `</main><b>x</b>`, circles),
		"canvas with effects": smaller(`canvas { margin: 40px; opacity: .7; filter: blur(1px); mix-blend-mode: screen }`, ``,
			`<b>x</b>`, circles),
		"rotated canvas": smaller(`canvas { margin: 40px; transform: rotate(20deg); translate: 50px 10px }`, ``, `<b>x</b>`,
			circles),
		"canvas in a scaled element": smaller(`main { padding: 30px; transform: scale(1.2) translate(40px, 30px) }`, `<main>`,
			`</main><b>x</b>`, circles),
		"two canvases": smaller(`canvas { margin: 20px }`, ``, `<b>x</b><canvas id="e" width="100" height="90"></canvas>`,
			circles+`; e.getContext("2d").fillRect(10, 10, 50, 50)`),
		"canvas with willReadFrequently": smaller(`canvas { margin: 20px }`, ``, `<b>x</b>`,
			strings.Replace(circles, `("2d")`, `("2d", {willReadFrequently: true})`, 1)),
		"bitmap canvas": smaller(`canvas { margin: 20px }`, ``, `<b>x</b>`, offscreen+`;
			const old = draw, r = c.getContext("bitmaprenderer");
			draw = (t) => { old(t); r.transferFromImageBitmap(o.transferToImageBitmap()) }`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := wide
			if strings.Contains(html, `height="90"`) && !strings.Contains(html, "<h1>") {
				o = small
			}
			checkStream(t, composition(t, html), o, 3, 4)
		})
	}
}

func TestStreamFromItsStart(t *testing.T) {
	t.Parallel()
	for _, f := range checkStream(t, composition(t, canvasPage(circles)), small, 0, 12) {
		if f.Repeated {
			t.Errorf("frame %d equals the one before", f.Index)
		}
	}
}

func TestStreamOf4K(t *testing.T) {
	t.Parallel()
	checkLargeStream(t, 3840, 2160)
}

// TestSoakStreamOf8K runs if HELIOS_SOAK is set.
func TestSoakStreamOf8K(t *testing.T) {
	soak(t)
	checkLargeStream(t, 7680, 4320)
}

func checkLargeStream(t *testing.T, width, height int) {
	t.Helper()
	o := small
	o.Width, o.Height = width, height
	size := fmt.Sprintf(`width="%d" height="%d"`, width, height)
	checkStream(t, composition(t, strings.Replace(canvasPage(circles), `width="160" height="90"`, size, 1)), o, 0, 2)
}

func TestStreamOfStillPage(t *testing.T) {
	t.Parallel()
	c := composition(t, `<p>text</p><script>setTimeout(() => document.querySelector("p").append("!"), 90)</script>`)
	p := open(t, launch(t, c), c, streamed(small))
	var changed []int64
	err := p.Play(t.Context(), 0, 40, job.SeekReplay, func(f Frame) error {
		if !f.Repeated {
			changed = append(changed, f.Index)
		}
		return nil
	})
	if arrived := p.stream.ring.last.number; err != nil || !slices.Equal(changed, []int64{0, 3}) || arrived > 5 {
		t.Errorf("frames %v changed and %d arrived, want frames 0 and 3: %v", changed, arrived, err)
	}
}

// A page that is not a secure context cannot be streamed. Its screenshots show the same frames. A change by one level
// of a colour is a change in both modes.
func TestInsecurePage(t *testing.T) {
	for name, html := range map[string]string{
		"large changes": canvasPage(circles),
		"small changes": greyPage(`const step = (n) => show(50 + n)`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := composition(t, html)
			b := launch(t, c)
			want := playStreamed(t, b, c, small, 0, 8)
			p := open(t, b, c, streamed(small))
			p.stream.insecure = true
			err := p.Play(t.Context(), 0, 8, job.SeekReplay, func(f Frame) error {
				if !bytes.Equal(f.Pixels, want[f.Index].Pixels) || f.Repeated != want[f.Index].Repeated {
					t.Errorf("frame %d differs from the stream", f.Index)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
