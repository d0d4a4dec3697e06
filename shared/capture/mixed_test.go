package capture

import (
	"strings"
	"testing"

	"helios/shared/job"
)

// mixed is a page of the size of wide with a canvas, #c, that is drawn in each frame, among other elements.
func mixed(style, before, after, draw string) string {
	return `<style>body { margin: 0; overflow: hidden; background: linear-gradient(120deg, #123, #356); font: 30px sans-serif; color: #fc0 }
		.full { position: absolute; inset: 0 } b { position: absolute; animation: go 1s linear infinite alternate }
		@keyframes go { from { left: 3px; top: 5px } to { left: 190px; top: 140px; color: red } } ` + style + `</style>` +
		before + `<canvas id="c" width="640" height="361"></canvas>` + after +
		`<script>requestAnimationFrame(function f(t) { requestAnimationFrame(f); draw(t) }); ` + draw + `; draw(0)</script>`
}

func TestACanvasAmongElementsIsDrawnAtItsPlace(t *testing.T) {
	small := strings.NewReplacer(`width="640" height="361"`, `width="200" height="120"`)
	seeThrough := strings.Replace(circles, `d.fillStyle = "#123"; d.fillRect(0, 0, c.width, c.height)`, `d.clearRect(0, 0, c.width, c.height); d.globalAlpha = .6`, 1)
	for name, html := range map[string]string{
		"behind all":                  mixed(`canvas { position: fixed; inset: 0; z-index: -1 } #holder { background: #f002 }`, `<div id="holder">`, `</div><h1>Title</h1><b>turns</b>`, seeThrough),
		"behind what is positioned":   mixed(``, ``, `<div class="full"><h1 style="opacity: .5">Title</h1><b>turns</b></div>`, circles),
		"WebGL behind all":            mixed(``, `<div class="full">`, `</div><div class="full"><h1>Title</h1><b>turns</b></div>`, triangle(`{}`)),
		"WebGL that keeps its buffer": mixed(``, `<div class="full">`, `</div><b>turns</b>`, triangle(`{preserveDrawingBuffer: true, alpha: false}`)),
		"WebGL that is see-through":   small.Replace(mixed(`canvas { position: fixed; left: 33px; top: 44px }`, `<b>turns</b>`, ``, strings.Replace(triangle(`{}`), "clearColor(.1, .2, Math.abs(Math.sin(t / 200)), 1)", "clearColor(0, .2, 0, .2)", 1))),
		"in front, see-through":       mixed(`canvas { position: fixed; inset: 0; z-index: 9; pointer-events: none }`, ``, `<h1>Title</h1><b>turns</b>`, seeThrough),
		"between":                     mixed(`canvas { position: fixed; inset: 0; z-index: 1 }`, `<h1>Title</h1>`, `<b style="z-index: 2">turns</b>`, seeThrough),
		"a chart in a card":           small.Replace(mixed(`main { background: #fffa; padding: 17px; margin: 9px } h1 { margin: 0 }`, `<main><h1>Chart</h1>`, `</main><b style="left: 400px">turns</b>`, circles)),
		"clipped, with round corners": small.Replace(mixed(`main { margin: 20px; width: 150px; height: 80px; overflow: hidden; border-radius: 30px } canvas { margin: -10px; border-radius: 60px }`, `<main>`, `</main><b>x</b>`, circles)),
		"with effects":                small.Replace(mixed(`canvas { margin: 40px; opacity: .7; filter: blur(1px); mix-blend-mode: screen }`, ``, `<b>x</b>`, circles)),
		"moved and turned":            small.Replace(mixed(`canvas { margin: 40px; transform: rotate(20deg); translate: 50px 10px }`, ``, `<b>x</b>`, circles)),
		"in what is moved":            small.Replace(mixed(`main { padding: 30px; transform: scale(1.2) translate(40px, 30px) }`, `<main>`, `</main><b>x</b>`, circles)),
		"two":                         small.Replace(mixed(`canvas { margin: 20px }`, ``, `<b>x</b><canvas id="e" width="100" height="90"></canvas>`, circles+`; e.getContext("2d").fillRect(10, 10, 50, 50)`)),
		"one that is read often":      small.Replace(mixed(`canvas { margin: 20px }`, ``, `<b>x</b>`, strings.Replace(circles, `("2d")`, `("2d", {willReadFrequently: true})`, 1))),
		"a bitmap": small.Replace(mixed(`canvas { margin: 20px }`, ``, `<b>x</b>`, strings.Replace(strings.ReplaceAll(circles, "c.width", "o.width"), `const d = c.getContext("2d");`, `const o = new OffscreenCanvas(200, 120), d = o.getContext("2d");`, 1)+
			`; const old = draw, r = c.getContext("bitmaprenderer"); draw = (t) => { old(t); r.transferFromImageBitmap(o.transferToImageBitmap()) }`)),
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range checkAlike(t, composition(t, html), wide, 3, 4) {
				if f.Repeated {
					t.Errorf("frame %d is that before it", f.Index)
				}
			}
		})
	}
}

// A canvas that comes later is drawn at its place from its first frame on.
func TestACanvasThatComesLater(t *testing.T) {
	c := composition(t, `<h1>Title</h1><script>requestAnimationFrame(function f(t) { requestAnimationFrame(f);
		const c = document.createElement("canvas"); c.width = c.height = 50; c.style.marginLeft = t / 3 + "px";
		c.getContext("2d").fillRect(5, 5, 30, 30); document.querySelector("canvas")?.remove(); if (t > 120) document.body.append(c) })</script>`)
	checkAlike(t, c, wide, 0, 9)
}

func TestAVideoAmongElementsIsDrawn(t *testing.T) {
	c := composition(t, `<style>body { margin: 0; background: teal } video { margin: 20px; width: 300px; height: 150px; object-fit: cover; border-radius: 30px; opacity: .9 }</style><h1>Title</h1><video src="v.mp4"></video>`)
	generate(t, c, "v.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:d=1:r=30", "-pix_fmt", "yuv420p")
	for _, f := range checkAlike(t, c, wide, 3, 6) {
		if f.Repeated {
			t.Errorf("frame %d is that before it", f.Index)
		}
	}
}

// A canvas that is drawn in another place or size is noticed in the very frame that shows it.
func TestACanvasThatIsDrawnOtherwiseIsNoticed(t *testing.T) {
	for name, test := range map[string]struct{ js, why string }{
		"wider":        {`c.style.width = "600px"`, "not shown at its own size"},
		"fewer pixels": {`c.style.height = "361px"; c.height = 360`, "not shown at its own size"},
		"a border":     {`c.style.borderLeft = "1px solid"`, "has a frame"},
		"padding":      {`c.style.paddingTop = "1px"`, "has a frame"},
	} {
		t.Run(name, func(t *testing.T) {
			c := composition(t, mixed(``, `<h1>Title</h1>`, ``, circles+`; setTimeout(() => { `+test.js+` }, 140)`)) // before frame 5 of 12
			frames, err := playWay(t, launch(t, c), c, withWay(wide, job.CaptureElements), 0, 12)
			wantUnfit(t, err, test.why)
			if len(frames) > 6 {
				t.Errorf("%d frames were handed out", len(frames))
			}
		})
	}
}

// A canvas that the page moves itself goes where the page wants it.
func TestACanvasThatThePageMoves(t *testing.T) {
	for name, js := range map[string]string{
		"by its style":      `c.style.translate = "90px 30px"`,
		"by a transition":   `c.style.transition = "all 1s"; getComputedStyle(c).translate; c.style.translate = "90px 30px"`,
		"by an animation":   `c.animate({translate: ["0px", "90px 30px"]}, 1000)`,
		"by a turn":         `c.style.rotate = "20deg"`,
		"by a transform":    `c.style.transform = "translate(30px, 20px) scale(1.5)"`,
		"with all the rest": `document.getAnimations().forEach((a) => a.currentTime = 400)`,
	} {
		t.Run(name, func(t *testing.T) {
			checkAlike(t, composition(t, mixed(``, `<h1>Title</h1>`, ``, circles+`; setTimeout(() => { `+js+` }, 90)`)), wide, 0, 9)
		})
	}
}
