package capture

import (
	"testing"

	"helios/shared/job"
)

const boxes = `<style>
	body { margin: 0; overflow: hidden; background: linear-gradient(120deg, #123, #356); color: #fff; font-family: sans-serif }
	i { position: absolute; width: 30px; height: 30px; border-radius: 5px; background: tomato; box-shadow: 0 2px 9px #0008; animation: go 2s infinite alternate }
	@keyframes go { to { transform: translate(99px, 40px) rotate(360deg) } }
	h1 { animation: in 1s } @keyframes in { from { opacity: .2; letter-spacing: 5px } }
</style><h1>Hello</h1><i></i><i style="left: 40px; animation-delay: -.5s"></i>`

func TestDrawnElements(t *testing.T) {
	const count = 8
	c := composition(t, boxes)
	want, _ := play(t, launch(t, c), c, small, 0, count, job.StartStep, "")
	got, err := playWay(t, c, withWay(small, job.CaptureElements), 0, count)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range got {
		picture, err := decode(want[i].PNG)
		if err != nil {
			t.Fatal(err)
		}
		d := difference(picture.Pix, f.Pixels, small.Width)
		t.Logf("frame %d: %d pixels, %.1f dB, %.2f", f.Index, d.pixels, d.psnr(), d.block)
	}
}
