package capture

import (
	"bytes"
	"fmt"
	"testing"

	"helios/shared/job"
)

// What asks for a layer of its own is painted as if it did not ask, or its text would begin at a whole pixel, and
// its picture would depend on those before it.
func TestWhatAsksForALayerIsPaintedWithTheRest(t *testing.T) {
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
				document.querySelector("b").style.transform = "rotate(-7deg) scale(1.2) translate" + %[3]q.replace("X", t / 70 + "px");
			});
		</script>`
	frames := func(t *testing.T, transform, style, moved string) []Frame {
		t.Helper()
		c := composition(t, fmt.Sprintf(page, transform, style, moved))
		frames, _ := play(t, launch(t, c), c, small, 0, 8, job.SeekReplay, "")
		if n := distinct(frames); n < len(frames) {
			t.Errorf("%d of %d frames are different pictures", n, len(frames))
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
			for i, f := range frames(t, test.transform, test.style, test.moved) {
				if !bytes.Equal(f.PNG, want[i].PNG) {
					t.Errorf("frame %d is another picture", f.Index)
				}
			}
		})
	}
}
