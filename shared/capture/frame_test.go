package capture

import (
	"bytes"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"helios/shared/job"
)

func pixel(t *testing.T, f Frame, x, y int) color.NRGBA {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(f.PNG))
	if err != nil {
		t.Fatal(err)
	}
	return color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
}

func TestTheFirstFrameIsThePageAndNotEmpty(t *testing.T) {
	c := composition(t, `<style>html { background: rgb(20, 120, 220) }</style>`)
	b := launch(t, c)
	for _, from := range []int64{0, 1, 5} {
		frames, _ := play(t, b, c, small, from, 1, job.SeekReplay, "")
		if got := pixel(t, frames[0], 80, 45); got != (color.NRGBA{20, 120, 220, 255}) {
			t.Errorf("entered at frame %d the page is %v", from, got)
		}
	}
}

func TestAPageWithoutBackgroundIsWhite(t *testing.T) {
	c := composition(t, `<style>html, body { background: transparent } div { background: #f008; width: 50px; height: 50px }</style><div></div>`)
	frames, _ := play(t, launch(t, c), c, small, 0, 1, job.SeekReplay, "")
	if got := pixel(t, frames[0], 150, 80); got != (color.NRGBA{255, 255, 255, 255}) {
		t.Errorf("where there is nothing the picture is %v", got)
	}
	if got := pixel(t, frames[0], 30, 30); got.R != 255 || got.A != 255 || got.G < 110 || got.G > 125 {
		t.Errorf("half red on nothing is %v", got)
	}
}

func TestAFrameWithoutAChangeRepeatsTheOneBefore(t *testing.T) {
	c := composition(t, `<style>div { width: 40px; height: 40px; background: red }</style><div></div>
		<script>setTimeout(() => document.querySelector("div").style.background = "blue", 90)</script>`)
	b := launch(t, c)
	for _, from := range []int64{0, 2} {
		frames, _ := play(t, b, c, small, from, 6, job.SeekReplay, "")
		for i, f := range frames {
			// Frame 3, at 100 ms, is the first in blue.
			if want := i > 0 && f.Index != 3; f.Repeated != want {
				t.Errorf("from %d on, frame %d: Repeated is %t", from, f.Index, f.Repeated)
			}
			if f.Repeated && &f.PNG[0] != &frames[i-1].PNG[0] {
				t.Errorf("from %d on, frame %d is a copy", from, f.Index)
			}
		}
	}
}

func TestFramesHaveTheSizeThatWasAskedFor(t *testing.T) {
	c := composition(t, `<style>body { margin: 0; height: 5000px } i { position: fixed; right: 0; bottom: 0; width: 3px; height: 3px; background: red }</style><i></i>`)
	b := launch(t, c)
	for _, size := range [][2]int{{16, 16}, {161, 91}, {1080, 1920}} {
		o := small
		o.Width, o.Height = size[0], size[1]
		frames, _ := play(t, b, c, o, 0, 1, job.SeekReplay, "")
		config, err := png.DecodeConfig(bytes.NewReader(frames[0].PNG))
		if err != nil || config.Width != size[0] || config.Height != size[1] {
			t.Errorf("the frame is %dx%d, want %v: %v", config.Width, config.Height, size, err)
		}
		// What is fixed to the far corner is there, and no scroll bar is.
		if got := pixel(t, frames[0], size[0]-1, size[1]-1); got != (color.NRGBA{255, 0, 0, 255}) {
			t.Errorf("the last pixel of %v is %v", size, got)
		}
	}
}

func TestABigDocument(t *testing.T) {
	c := composition(t, `<body>`+strings.Repeat(`<p>A paragraph <b>with</b> some <i>elements</i> in it.</p>`, 5000)+
		`<script>requestAnimationFrame(function f(t) { requestAnimationFrame(f); scrollTo(0, t * 10) })</script>`)
	b := launch(t, c)
	all, _ := play(t, b, c, small, 0, 6, job.SeekReplay, "")
	part, _ := play(t, b, c, small, 3, 3, job.SeekReplay, "")
	for i, f := range part {
		if !bytes.Equal(f.PNG, all[3+i].PNG) {
			t.Errorf("frame %d is another picture when it comes first", f.Index)
		}
	}
	if distinct(all) < 5 {
		t.Errorf("only %d of 6 frames are different pictures", distinct(all))
	}
}
