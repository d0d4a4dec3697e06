package capture

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"helios/shared/job"
)

// boxes turn, shine through and have shadows; the page is larger than a tile.
const boxes = `<style>
	body { margin: 0; overflow: hidden; background: linear-gradient(120deg, #123, #356); color: #fff; font-family: sans-serif }
	i { position: absolute; width: 80px; height: 80px; border-radius: 9px; background: tomato; box-shadow: 0 2px 9px #0008; animation: go 2s infinite alternate }
	@keyframes go { to { transform: translate(399px, 90px) rotate(360deg) } }
	h1 { animation: in 1s } @keyframes in { from { opacity: .2; letter-spacing: 5px } }
</style><h1>Hello</h1><i></i><i style="left: 40px; animation-delay: -.5s"></i>`

// wide is a page that Chromium draws in tiles.
var wide = func() Options { o := small; o.Width, o.Height = 640, 361; return o }()

// checkAlike checks that nobody could tell the frames of a composition in the way of elements from those of the
// reference.
func checkAlike(t *testing.T, c Composition, o Options, from, count int64) []Frame {
	t.Helper()
	b := launch(t, c)
	want, _ := play(t, b, c, o, from, count, job.StartStep, "")
	got, err := playWay(t, b, c, withWay(o, job.CaptureElements), from, count)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d frames came, want %d", len(got), len(want))
	}
	r := &rawFrames{way: job.CaptureElements, ring: &ring{layout: newLayout(o.Width, o.Height)}}
	for i, f := range got {
		if err := r.compare(f, want[i].PNG); err != nil || f.Index != want[i].Index {
			t.Errorf("frame %d, of the reference %d: %v", f.Index, want[i].Index, err)
		}
		if f.Repeated && !want[i].Repeated {
			t.Errorf("frame %d repeats the one before, but has changed", f.Index)
		}
	}
	return got
}

func TestDrawnElementsLookLikeTheReference(t *testing.T) {

	move := `style="animation: go 1s linear infinite alternate"><style>@keyframes go { from { translate: 3px 5px } to { translate: 90px 40px; rotate: 77deg } } body { background: linear-gradient(to right, red, yellow); font: 20px/1.2 serif }</style>`
	for name, html := range map[string]string{
		"boxes":              boxes,
		"text":               `<h1 ` + move + `Quick <em>brown</em> foxes</h1><p>jump over 12345`,
		"blend":              `<div ` + strings.Replace(move, `style="`, `style="mix-blend-mode: difference; background: lime; width: 90px; `, 1) + `text</div>`,
		"filters":            `<div ` + strings.Replace(move, `style="`, `style="filter: blur(2px) drop-shadow(0 0 9px blue) hue-rotate(90deg); `, 1) + `text</div>`,
		"masks and clips":    `<div ` + strings.Replace(move, `style="`, `style="background: green; height: 90px; mask-image: linear-gradient(black, transparent); clip-path: circle(40%); `, 1) + `text</div>`,
		"will-change":        `<div style="will-change: transform, opacity; animation: in 1s infinite; background: teal">A</div><style>@keyframes in { to { transform: scale(1.3) translate(9px, 20px); opacity: .3 } }</style>`,
		"an image":           `<img src="` + still(t) + `"` + move,
		"SVG":                `<svg width="600" height="300"><filter id="f"><feGaussianBlur stdDeviation="3"/></filter><circle r="9" filter="url(#f)"><animateMotion dur="1s" path="M0 0L150 80"/></circle><path d="M0 0L599 20" stroke="red" stroke-width="3"/></svg>`,
		"scrolled":           `<body style="height: 3000px; background: repeating-linear-gradient(red, blue 37px)"><script>let y = 0; setInterval(() => scrollTo(0, y += 3), 20)</script>`,
		"a box that scrolls": `<div id="s" style="height: 99px; overflow: scroll"><div style="height: 3000px; background: repeating-linear-gradient(red, blue 37px)"></div></div><script>let y = 0; setInterval(() => s.scrollTo(0, y += 3), 20)</script>`,
		"a dialog":           `<dialog id="d">Hello</dialog><p>behind</p><script>setTimeout(() => d.showModal(), 90)</script>`,
		"a form":             `<input value="text"><button>b</button><select><option>x</select><progress></progress><input type="range"><textarea>t</textarea><audio controls></audio>`,
		"no background":      `<p ` + strings.Replace(move, "body { background", "u { background", 1) + `x`,
		"fixed and sticky":   `<body style="height: 2000px"><b style="position: fixed; right: 0; bottom: 0">fixed</b><b style="position: sticky; top: 0">sticky</b><script>setInterval(() => scrollBy(0, 5), 30)</script>`,
	} {
		t.Run(name, func(t *testing.T) { checkAlike(t, composition(t, html), wide, 3, 4) })
	}
}

func TestWhatDrawnElementsMissIsNoticed(t *testing.T) {
	const later = `<p>text</p><script>setTimeout(() => { %s }, 140)</script>` // before frame 5 of 12
	for name, test := range map[string]struct{ js, why string }{
		"a frame":              {`document.body.append(document.createElement("iframe"))`, "there is a iframe element"},
		"a closed shadow tree": {`document.querySelector("p").attachShadow({mode: "closed"}).append(document.createElement("canvas"))`, "there is a shadow tree"},
		"an animated image":    {`document.body.insertAdjacentHTML("beforeend", '<img src="` + blinking(t) + `">')`, "may be animated"},
		"a view transition":    {`document.startViewTransition(() => document.body.append("x"))`, "the page's process crashed"},
	} {
		t.Run(name, func(t *testing.T) {
			c := composition(t, fmt.Sprintf(later, test.js))
			frames, err := playWay(t, launch(t, c), c, withWay(small, job.CaptureElements), 0, 12)
			wantUnfit(t, err, test.why)
			if len(frames) > 6 {
				t.Errorf("%d frames were handed out", len(frames))
			}
		})
	}
}

// Pages that look otherwise are not taken for right, be the difference ever so small.
func TestAMissingPixelIsNoticed(t *testing.T) {
	c := composition(t, boxes+`<b style="position: absolute; left: 500px; top: 300px; width: 1px; height: 1px; background: #9ab"></b>
		<script>if (top !== self) document.querySelector("b").remove()</script>`)
	_, err := playWay(t, launch(t, c), c, withWay(wide, job.CaptureElements), 0, 3)
	wantUnfit(t, err, "what is at 500, 300")
}

func TestAPageThatStandsStillIsNotDrawnAgain(t *testing.T) {
	c := composition(t, `<p>text</p><script>setTimeout(() => document.querySelector("p").append("!"), 90)</script>`)
	p := open(t, launch(t, c), c, withWay(small, job.CaptureElements))
	var repeated []int64
	err := p.Play(t.Context(), 0, 8, job.StartStep, func(f Frame) error {
		if !f.Repeated {
			repeated = append(repeated, f.Index)
		}
		return nil
	})
	if err != nil || !slices.Equal(repeated, []int64{0, 3}) || p.raw.taken != 2 {
		t.Errorf("frames %v are new, and %d pictures were taken; want two, of 0 and 3: %v", repeated, p.raw.taken, err)
	}
}

func TestElementsAreDrawnFromTheMiddleOn(t *testing.T) {
	html := `<body style="font: 40px monospace"><script>let n = 0; requestAnimationFrame(function f() { requestAnimationFrame(f); document.body.textContent = n++ })</script>`
	if got := checkAlike(t, composition(t, html), wide, 7, 5); len(got) != 5 {
		t.Errorf("%d frames came", len(got))
	}
	c := composition(t, boxes+`<script>window.helios = {seek(s) { document.querySelector("h1").textContent = s.toFixed(3) }}</script>`)
	checkAlike(t, c, wide, 20, 3)
}
