package capture

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"

	"helios/shared/job"
)

// pixel returns the colour of a pixel of a screenshot.
func pixel(t *testing.T, f Frame, x, y int) color.NRGBA {
	t.Helper()
	decoded, err := png.Decode(bytes.NewReader(f.PNG))
	if err != nil {
		t.Fatal(err)
	}
	return color.NRGBAModel.Convert(decoded.At(x, y)).(color.NRGBA)
}

// distinct returns the number of different screenshots.
func distinct(frames []Frame) int {
	set := map[string]bool{}
	for _, f := range frames {
		set[string(f.PNG)] = true
	}
	return len(set)
}

func TestFirstFrameIsNotBlank(t *testing.T) {
	t.Parallel()
	c := composition(t, `<style>html { background: rgb(20, 120, 220) }</style>`)
	b := launch(t, c)
	for _, from := range []int64{0, 1, 5} {
		frames, _ := play(t, b, c, small, from, 1, job.SeekReplay, "")
		if got := pixel(t, frames[0], 80, 45); got != (color.NRGBA{20, 120, 220, 255}) {
			t.Errorf("the colour of frame %d is %v", from, got)
		}
	}
}

func TestDefaultBackgroundIsWhite(t *testing.T) {
	t.Parallel()
	c := composition(t, `<style>html, body { background: transparent }
		div { background: #f008; width: 50px; height: 50px }</style><div></div>`)
	frames, _ := play(t, launch(t, c), c, small, 0, 1, job.SeekReplay, "")
	if got := pixel(t, frames[0], 150, 80); got != (color.NRGBA{255, 255, 255, 255}) {
		t.Errorf("the background is %v, want white", got)
	}
	if got := pixel(t, frames[0], 30, 30); got.R != 255 || got.A != 255 || got.G < 110 || got.G > 125 {
		t.Errorf("half transparent red on the background is %v", got)
	}
}

func TestTransparent(t *testing.T) {
	t.Parallel()
	c := composition(t,
		`<body style="margin:0"><div style="width:40px;height:40px;background:rgb(255 0 0/.5)"></div>`)
	b := launch(t, c)
	for _, test := range []struct {
		transparent     bool
		box, background color.NRGBA
	}{
		{true, color.NRGBA{255, 0, 0, 128}, color.NRGBA{}},
		{false, color.NRGBA{255, 127, 127, 255}, color.NRGBA{255, 255, 255, 255}},
	} {
		o := small
		o.Transparent = test.transparent
		frames, _ := play(t, b, c, o, 0, 1, job.SeekReplay, "")
		box, rest := pixel(t, frames[0], 20, 20), pixel(t, frames[0], 80, 80)
		if box != test.box || rest != test.background {
			t.Errorf("Transparent %t: the box is %v and the background %v, want %v and %v",
				test.transparent, box, rest, test.box, test.background)
		}
	}
}

func TestUnchangedFrameIsRepeated(t *testing.T) {
	t.Parallel()
	c := composition(t, `<style>div { width: 40px; height: 40px; background: red }</style><div></div>
		<script>setTimeout(() => document.querySelector("div").style.background = "blue", 90)</script>`)
	b := launch(t, c)
	for _, from := range []int64{0, 2} {
		frames, _ := play(t, b, c, small, from, 6, job.SeekReplay, "")
		for i, f := range frames {
			// Frame 3, at 100 ms, is the first blue one.
			if want := i > 0 && f.Index != 3; f.Repeated != want {
				t.Errorf("from frame %d, Repeated of frame %d is %t", from, f.Index, f.Repeated)
			}
			if f.Repeated && &f.PNG[0] != &frames[i-1].PNG[0] {
				t.Errorf("from frame %d, frame %d is a copy of the one before", from, f.Index)
			}
		}
	}
}

func TestFrameSize(t *testing.T) {
	t.Parallel()
	c := composition(t, `<style>body { margin: 0; height: 5000px }
		i { position: fixed; right: 0; bottom: 0; width: 3px; height: 3px; background: red }</style><i></i>`)
	b := launch(t, c)
	for _, size := range [][2]int{{16, 16}, {161, 91}, {1080, 1920}} {
		o := small
		o.Width, o.Height = size[0], size[1]
		frames, _ := play(t, b, c, o, 0, 1, job.SeekReplay, "")
		config, err := png.DecodeConfig(bytes.NewReader(frames[0].PNG))
		if err != nil || config.Width != size[0] || config.Height != size[1] {
			t.Errorf("the frame is %dx%d, want %v: %v", config.Width, config.Height, size, err)
		}
		// The corner shows the fixed element, not a scroll bar.
		if got := pixel(t, frames[0], size[0]-1, size[1]-1); got != (color.NRGBA{255, 0, 0, 255}) {
			t.Errorf("the last pixel of %v is %v, want red", size, got)
		}
	}
}

// Chromium rounds the size of a frame as job.Config does.
func TestScale(t *testing.T) {
	c := composition(t, `<p>text`)
	for _, config := range []job.Config{
		{Width: 1278, Height: 722, Scale: 0.75}, {Width: 1279, Height: 721, Scale: 0.5},
		{Width: 101, Height: 103, Scale: 1.5}, {Width: 333, Height: 1000, Scale: 1.1},
		{Width: 640, Height: 360, Scale: 3}, {Width: 100, Height: 700, Scale: 1.15},
	} {
		t.Run(fmt.Sprint(config.Scale), func(t *testing.T) {
			t.Parallel()
			b := launchScaled(t, c, config.Scale)
			o := small
			o.Width, o.Height, o.Timeout = config.Width, config.Height, time.Minute
			frames, _ := play(t, b, c, o, 0, 1, job.SeekReplay, "")
			got, err := png.DecodeConfig(bytes.NewReader(frames[0].PNG))
			if err != nil {
				t.Fatal(err)
			}
			if width, height := config.Pixels(); got.Width != width || got.Height != height {
				t.Errorf("a frame of %dx%d has %dx%d pixels, want %dx%d",
					o.Width, o.Height, got.Width, got.Height, width, height)
			}
		})
	}
}

func TestLargeDocument(t *testing.T) {
	t.Parallel()
	c := composition(t, `<body>`+strings.Repeat(`<p>A paragraph <b>with</b> some <i>elements</i> in it.</p>`, 5000)+
		`<script>requestAnimationFrame(function f(t) { requestAnimationFrame(f); scrollTo(0, t * 10) })</script>`)
	b := launch(t, c)
	all, _ := play(t, b, c, small, 0, 6, job.SeekReplay, "")
	part, _ := play(t, b, c, small, 3, 3, job.SeekReplay, "")
	for _, f := range part {
		if !bytes.Equal(f.PNG, all[f.Index].PNG) {
			t.Errorf("frame %d differs in a partition that starts at frame 3", f.Index)
		}
	}
	if n := distinct(all); n < 5 {
		t.Errorf("%d of 6 frames are distinct, want at least 5", n)
	}
}

// Elements that ask for a layer are painted with the rest of the page. In a layer, text would start at a whole pixel,
// and the raster would depend on earlier frames.
func TestLayersDoNotChangeFrames(t *testing.T) {
	const page = `<style>
			body { margin: 0; background: #fed; font: 25px/1 serif }
			div { position: absolute; left: 70.4px; top: 10.3px; transform: %s; %s }
			p { margin: 5px; animation: go 2s linear }
			b { display: inline-block }
			@keyframes go { from { transform: rotate(9deg) scale(1) %[1]s } to { transform: rotate(2deg) scale(1.3) %[1]s } }
		</style><div>Wave</div><p>after</p><b>wave</b>
		<script>
			requestAnimationFrame(function f(t) {
				requestAnimationFrame(f);
				document.querySelector("b").style.transform =
					"rotate(-7deg) scale(1.2) translate" + %[3]q.replace("X", t / 70 + "px");
			});
		</script>`
	frames := func(t *testing.T, transform, style, moved string) []Frame {
		t.Helper()
		c := composition(t, fmt.Sprintf(page, transform, style, moved))
		frames, _ := play(t, launch(t, c), c, small, 0, 8, job.SeekReplay, "")
		if n := distinct(frames); n < len(frames) {
			t.Errorf("%d of %d frames are distinct", n, len(frames))
		}
		return frames
	}
	want := frames(t, "translate(3.7px, 2.2px)", "", "(X, 1.6px)")
	for name, test := range map[string]struct{ transform, style, moved string }{
		"translate3d": {"translate3d(3.7px, 2.2px, 0)", "", "3d(X, 1.6px, 0px)"},
		"translateZ":  {"translate(3.7px, 2.2px) translateZ(0)", "", "(X, 1.6px) translateZ(0)"},
		"rotate3d":    {"translate(3.7px, 2.2px) rotate3d(0, 0, 1, 0deg)", "", "(X, 1.6px) rotate3d(0, 0, 1, 0deg)"},
		"will-change": {"translate(3.7px, 2.2px)", "will-change: transform, opacity", "(X, 1.6px)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, f := range frames(t, test.transform, test.style, test.moved) {
				if !bytes.Equal(f.PNG, want[i].PNG) {
					t.Errorf("frame %d differs", f.Index)
				}
			}
		})
	}
}
