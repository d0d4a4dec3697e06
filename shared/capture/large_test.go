package capture

import (
	"strings"
	"testing"
)

func TestAStreamOf8K(t *testing.T) {
	if testing.Short() {
		t.Skip("draws 33 megapixels for each frame")
	}
	o := small
	o.Width, o.Height = 7680, 4320
	checkStream(t, composition(t, strings.Replace(canvasPage(circles), `width="160" height="90"`, `width="7680" height="4320"`, 1)), o, 0, 2)
}
