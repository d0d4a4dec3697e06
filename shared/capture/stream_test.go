package capture

import (
	"bytes"
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

// stream plays frames in stream mode and keeps them.
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

// checkSame checks that each frame shows what its screenshot shows.
func checkSame(t *testing.T, o Options, screenshots, frames []Frame) {
	t.Helper()
	if len(frames) != len(screenshots) {
		t.Fatalf("%d frames came, want %d", len(frames), len(screenshots))
	}
	for i, f := range frames {
		want := screenshots[i]
		converted := make([]byte, len(f.Pixels))
		if err := toI420(want.PNG, converted, o.Width, o.Height); err != nil {
			t.Fatal(err)
		}
		if luma, chroma := difference(f.Pixels, converted); luma > maxLuma || chroma > maxChroma || f.Index != want.Index {
			t.Errorf("frame %d differs from screenshot %d by %d in luma and %d in chroma", f.Index, want.Index, luma, chroma)
		}
	}
}

// checkStream checks that stream mode shows what screenshot mode shows.
func checkStream(t *testing.T, c Composition, o Options, from, count int64) []Frame {
	t.Helper()
	b := launch(t, c)
	want, _ := play(t, b, c, o, from, count, job.SeekReplay, "")
	got := playStreamed(t, b, c, o, from, count)
	checkSame(t, o, want, got)
	return got
}

// wide is a page that Chromium draws in tiles.
var wide = func() Options { o := small; o.Width, o.Height = 640, 362; return o }()

func TestAStreamShowsWhatScreenshotsShow(t *testing.T) {
	move := `style="animation: go 1s linear infinite alternate"><style>@keyframes go { from { translate: 3px 5px } to { translate: 90px 40px; rotate: 77deg } } body { background: linear-gradient(to right, red, yellow); font: 20px/1.2 serif }</style>`
	smaller := strings.NewReplacer(`width="640" height="361"`, `width="200" height="120"`)
	seeThrough := strings.Replace(circles, `d.fillStyle = "#123"; d.fillRect(0, 0, c.width, c.height)`, `d.clearRect(0, 0, c.width, c.height); d.globalAlpha = .6`, 1)
	for name, html := range map[string]string{
		"boxes":                       boxes,
		"text":                        `<h1 ` + move + `Quick <em>brown</em> foxes</h1><p>jump over 12345`,
		"blend":                       `<div ` + strings.Replace(move, `style="`, `style="mix-blend-mode: difference; background: lime; width: 90px; `, 1) + `text</div>`,
		"filters":                     `<div ` + strings.Replace(move, `style="`, `style="filter: blur(2px) drop-shadow(0 0 9px blue) hue-rotate(90deg); `, 1) + `text</div>`,
		"masks and clips":             `<div ` + strings.Replace(move, `style="`, `style="background: green; height: 90px; mask-image: linear-gradient(black, transparent); clip-path: circle(40%); `, 1) + `text</div>`,
		"will-change":                 `<div style="will-change: transform, opacity; animation: in 1s infinite; background: teal">A</div><style>@keyframes in { to { transform: scale(1.3) translate(9px, 20px); opacity: .3 } }</style>`,
		"an image":                    `<img src="` + still(t) + `"` + move,
		"SVG":                         `<svg width="600" height="300"><filter id="f"><feGaussianBlur stdDeviation="3"/></filter><circle r="9" filter="url(#f)"><animateMotion dur="1s" path="M0 0L150 80"/></circle><path d="M0 0L599 20" stroke="red" stroke-width="3"/></svg>`,
		"scrolled":                    `<body style="height: 3000px; background: repeating-linear-gradient(red, blue 37px)"><script>let y = 0; setInterval(() => scrollTo(0, y += 3), 20)</script>`,
		"a box that scrolls":          `<div id="s" style="height: 99px; overflow: scroll"><div style="height: 3000px; background: repeating-linear-gradient(red, blue 37px)"></div></div><script>let y = 0; setInterval(() => s.scrollTo(0, y += 3), 20)</script>`,
		"a dialog":                    `<dialog id="d">Hello</dialog><p>behind</p><script>setTimeout(() => d.showModal(), 90)</script>`,
		"a form":                      `<input value="text"><button>b</button><select><option>x</select><progress></progress><input type="range"><textarea>t</textarea><audio controls></audio>`,
		"no background":               `<p ` + strings.Replace(move, "body { background", "u { background", 1) + `x`,
		"fixed and sticky":            `<body style="height: 2000px"><b style="position: fixed; right: 0; bottom: 0">fixed</b><b style="position: sticky; top: 0">sticky</b><script>setInterval(() => scrollBy(0, 5), 30)</script>`,
		"behind all":                  mixed(`canvas { position: fixed; inset: 0; z-index: -1 } #holder { background: #f002 }`, `<div id="holder">`, `</div><h1>Title</h1><b>turns</b>`, seeThrough),
		"behind what is positioned":   mixed(``, ``, `<div class="full"><h1 style="opacity: .5">Title</h1><b>turns</b></div>`, circles),
		"WebGL behind all":            mixed(``, `<div class="full">`, `</div><div class="full"><h1>Title</h1><b>turns</b></div>`, triangle(`{}`)),
		"WebGL that keeps its buffer": mixed(``, `<div class="full">`, `</div><b>turns</b>`, triangle(`{preserveDrawingBuffer: true, alpha: false}`)),
		"WebGL that is see-through":   smaller.Replace(mixed(`canvas { position: fixed; left: 33px; top: 44px }`, `<b>turns</b>`, ``, strings.Replace(triangle(`{}`), "clearColor(.1, .2, Math.abs(Math.sin(t / 200)), 1)", "clearColor(0, .2, 0, .2)", 1))),
		"in front, see-through":       mixed(`canvas { position: fixed; inset: 0; z-index: 9; pointer-events: none }`, ``, `<h1>Title</h1><b>turns</b>`, seeThrough),
		"between":                     mixed(`canvas { position: fixed; inset: 0; z-index: 1 }`, `<h1>Title</h1>`, `<b style="z-index: 2">turns</b>`, seeThrough),
		"a chart in a card":           smaller.Replace(mixed(`main { background: #fffa; padding: 17px; margin: 9px } h1 { margin: 0 }`, `<main><h1>Chart</h1>`, `</main><b style="left: 400px">turns</b>`, circles)),
		"clipped, with round corners": smaller.Replace(mixed(`main { margin: 20px; width: 150px; height: 80px; overflow: hidden; border-radius: 30px } canvas { margin: -10px; border-radius: 60px }`, `<main>`, `</main><b>x</b>`, circles)),
		"with effects":                smaller.Replace(mixed(`canvas { margin: 40px; opacity: .7; filter: blur(1px); mix-blend-mode: screen }`, ``, `<b>x</b>`, circles)),
		"moved and turned":            smaller.Replace(mixed(`canvas { margin: 40px; transform: rotate(20deg); translate: 50px 10px }`, ``, `<b>x</b>`, circles)),
		"in what is moved":            smaller.Replace(mixed(`main { padding: 30px; transform: scale(1.2) translate(40px, 30px) }`, `<main>`, `</main><b>x</b>`, circles)),
		"two":                         smaller.Replace(mixed(`canvas { margin: 20px }`, ``, `<b>x</b><canvas id="e" width="100" height="90"></canvas>`, circles+`; e.getContext("2d").fillRect(10, 10, 50, 50)`)),
		"one that is read often":      smaller.Replace(mixed(`canvas { margin: 20px }`, ``, `<b>x</b>`, strings.Replace(circles, `("2d")`, `("2d", {willReadFrequently: true})`, 1))),
		"a bitmap": smaller.Replace(mixed(`canvas { margin: 20px }`, ``, `<b>x</b>`, strings.Replace(strings.ReplaceAll(circles, "c.width", "o.width"), `const d = c.getContext("2d");`, `const o = new OffscreenCanvas(200, 120), d = o.getContext("2d");`, 1)+
			`; const old = draw, r = c.getContext("bitmaprenderer"); draw = (t) => { old(t); r.transferFromImageBitmap(o.transferToImageBitmap()) }`)),
		"an iframe":         `<iframe srcdoc="<style>b { position: absolute; animation: go 1s } @keyframes go { to { left: 90px } }</style><b>text</b>"></iframe>`,
		"a shadow tree":     `<div></div><script>const root = document.querySelector("div").attachShadow({ mode: "closed" }); setInterval(() => root.append("x"), 30)</script>`,
		"3D":                `<div style="perspective: 300px"><div style="animation: turn 1s; background: red; height: 90px">text</div></div><style>@keyframes turn { to { transform: rotateY(60deg) } }</style>`,
		"an animated image": `<img src="` + blinking(t) + `">`,
	} {
		t.Run(name, func(t *testing.T) {
			o := wide
			if strings.Contains(html, `height="90"`) && !strings.Contains(html, "<h1>") {
				o = small
			}
			checkStream(t, composition(t, html), o, 3, 4)
		})
	}
}

func TestAStreamFromItsStart(t *testing.T) {
	for _, f := range checkStream(t, composition(t, canvasPage(circles)), small, 0, 12) {
		if f.Repeated {
			t.Errorf("frame %d repeats the one before", f.Index)
		}
	}
}

func TestAPageAtRestIsNotCaptured(t *testing.T) {
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
		t.Errorf("frames %v are new and %d arrived; want 0 and 3: %v", changed, arrived, err)
	}
}

// A page that is not a secure context cannot be streamed. Screenshots give the same frames.
func TestAnInsecurePageShowsTheSame(t *testing.T) {
	c := composition(t, canvasPage(circles))
	b := launch(t, c)
	want := playStreamed(t, b, c, small, 0, 8)
	p := open(t, b, c, streamed(small))
	p.stream.insecure = true
	err := p.Play(t.Context(), 0, 8, job.SeekReplay, func(f Frame) error {
		if !bytes.Equal(f.Pixels, want[f.Index].Pixels) || f.Repeated {
			t.Errorf("frame %d is another", f.Index)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A change by the least step is one, also between two screenshots.
func TestScreenshotsInAStreamShowTheLeastChange(t *testing.T) {
	c := composition(t, grey(`const step = (n) => show(50 + n)`))
	b := launch(t, c)
	want := playStreamed(t, b, c, small, 0, 8)
	p := open(t, b, c, streamed(small))
	p.stream.insecure = true
	err := p.Play(t.Context(), 0, 8, job.SeekReplay, func(f Frame) error {
		if !bytes.Equal(f.Pixels, want[f.Index].Pixels) {
			t.Errorf("frame %d shows %d, want %d", f.Index, shade(f), shade(want[f.Index]))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
