package capture

import (
	"strings"
	"testing"

	"helios/shared/job"
)

// A picture of 8K has 132 MB, so there is a single slot for it.
func TestPicturesOf8KAreTakenInTheFastWays(t *testing.T) {
	if testing.Short() {
		t.Skip("draws 33 megapixels a frame")
	}
	o := small
	o.Width, o.Height = 7680, 4320
	t.Run("canvas", func(t *testing.T) {
		c := composition(t, strings.Replace(canvasPage(circles), `width="160" height="90"`, `width="7680" height="4320"`, 1))
		b := launch(t, c)
		want, _ := play(t, b, c, o, 0, 2, job.StartStep, "")
		got, err := playWay(t, b, c, withWay(o, job.CaptureCanvas), 0, 2)
		if err != nil {
			t.Fatal(err)
		}
		checkSame(t, o, want, got)
	})
	t.Run("elements", func(t *testing.T) {
		checkAlike(t, composition(t, boxes+`<b style="position: absolute; right: 0; bottom: 0; background: red; font-size: 400px">corner</b>`), o, 0, 2)
	})
}
