package capture

import (
	"bytes"
	"image/color"
	"image/png"
	"testing"

	"helios/shared/job"
)

func TestTransparent(t *testing.T) {
	c := composition(t, `<body style="margin:0"><div style="width:40px;height:40px;background:rgb(255 0 0/.5)"></div>`)
	b := launch(t, c)
	for _, test := range []struct {
		transparent   bool
		half, nothing color.NRGBA
	}{
		{true, color.NRGBA{255, 0, 0, 128}, color.NRGBA{}},
		{false, color.NRGBA{255, 127, 127, 255}, color.NRGBA{255, 255, 255, 255}},
	} {
		o := small
		o.Transparent = test.transparent
		frames, _ := play(t, b, c, o, 0, 1, job.SeekReplay, "")
		picture, err := png.Decode(bytes.NewReader(frames[0].PNG))
		if err != nil {
			t.Fatal(err)
		}
		at := func(x, y int) color.Color { return color.NRGBAModel.Convert(picture.At(x, y)) }
		if half, nothing := at(20, 20), at(80, 80); half != test.half || nothing != test.nothing {
			t.Errorf("transparent %t: the half painted part is %v and the other %v, want %v and %v", test.transparent, half, nothing, test.half, test.nothing)
		}
	}
}
