package capture

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"helios/shared/browser"
	"helios/shared/job"
)

// greyPage is a page whose background is a shade of grey. Its script defines step, which is called with the number of
// each frame and calls show with a shade.
func greyPage(script string) string {
	return `<body style="margin: 0; background: #000"><script>
		const show = (number) => {
			const shade = number % 200;
			document.body.style.background = "rgb(" + [shade, shade, shade] + ")";
		};
		let n = 0;
		requestAnimationFrame(function frame() { requestAnimationFrame(frame); step(n++) });
	</script><script>` + script + `</script>`
}

// shade returns the shade of a frame of a grey page.
func shade(f Frame) int {
	return (int(f.Pixels[45*160+80]) - 16) * 255 / 219
}

// checkShades plays a grey page in stream mode and checks the shade of each frame, up to rounding.
func checkShades(
	t *testing.T, c Composition, o Options, from, count int64, want func(n int64) int64, emit func(Frame) error,
) {
	t.Helper()
	next := from
	err := playOnce(t, launch(t, c), c, streamed(o), from, count, job.SeekReplay, func(_ *Player, f Frame) error {
		got, want := shade(f), int(want(next)%200)
		if f.Index != next || got < want-1 || got > want+1 {
			t.Errorf("frame %d has the shade %d, want frame %d with %d", f.Index, got, next, want)
		}
		next++
		return emit(f)
	})
	if err != nil || next != from+count {
		t.Fatalf("there are %d frames, want %d: %v", next-from, count, err)
	}
}

func discard(Frame) error { return nil }

const changing = `const step = (n) => show(2 * n)`

func changingShade(n int64) int64 { return 2 * n }

func TestSlowEncoderLosesNoFrame(t *testing.T) {
	t.Parallel()
	checkShades(t, composition(t, greyPage(changing)), small, 0, 24, changingShade, func(f Frame) error {
		if f.Index%10 == 0 {
			time.Sleep(300 * time.Millisecond) // longer than the capture of all frames that the queue holds
		}
		return nil
	})
}

// pausingPage returns a page that changes in some frames, and its shade in each frame.
func pausingPage(changes ...int64) (html string, want func(n int64) int64) {
	list := strings.ReplaceAll(strings.Trim(fmt.Sprint(changes), "[]"), " ", ",")
	html = greyPage(fmt.Sprintf(`const changes = new Set([%s]);
		let shade = 0;
		const step = (n) => { if (changes.has(n)) show(shade += 20) }`, list))
	return html, func(n int64) (shade int64) {
		for _, change := range changes {
			if change <= n {
				shade += 20
			}
		}
		return shade
	}
}

func TestChangesAfterPauses(t *testing.T) {
	for name, test := range map[string]struct {
		changes []int64
		count   int64
	}{
		"of one frame":                   {[]int64{2, 4, 6, 8}, 12},
		"of 20 s":                        {[]int64{3, 603, 604}, 610},
		"at the start":                   {[]int64{1}, 5},
		"in the last frame":              {[]int64{5, 9}, 10},
		"before the last frame":          {[]int64{5, 8}, 10},
		"no change":                      {nil, 40},
		"after some pending frames":      {[]int64{6, 7}, 10},
		"after many pending frames":      {[]int64{30}, 34},
		"in the second frame and at 1 s": {[]int64{1, 31}, 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			html, want := pausingPage(test.changes...)
			c := composition(t, html)
			checkShades(t, c, small, 0, test.count, want, discard)
			middle := test.count / 2
			checkShades(t, c, small, middle, test.count-middle, want, discard)
		})
	}
}

// alternating is the script of a page that changes partly in each frame and completely in every third second. Chromium
// assumes that the part is a video.
const alternating = `document.body.insertAdjacentHTML("beforeend",
		"<i style='position: absolute; width: 40px; height: 20px'></i>");
	const i = document.querySelector("i");
	let base = 0;
	const step = (n) => { i.style.background = "rgb(" + n % 256 + ",0,0)"; if (n % 100 > 90) show(base += 3) }`

func alternatingShade(n int64) int64 {
	base := n / 100 * 9
	if last := n % 100; last > 90 {
		base += last - 90
	}
	return 3 * base
}

func TestAlternatingDamageLosesNoFrame(t *testing.T) {
	t.Parallel()
	checkShades(t, composition(t, greyPage(alternating)), small, 0, 600, alternatingShade, discard)
}

// TestSoakDamage plays 10 minutes of page time at each rate. It runs if HELIOS_SOAK is set.
func TestSoakDamage(t *testing.T) {
	soak(t)
	for _, rate := range []int64{24, 30, 60} {
		t.Run(strconv.FormatInt(rate, 10), func(t *testing.T) {
			o := small
			o.FPS = job.Rate{Num: rate, Den: 1}
			checkShades(t, composition(t, greyPage(alternating)), o, 0, rate*600, alternatingShade, discard)
		})
	}
}

// TestSoakStarts opens a small page in 500 new browsers beside two busy loops. It runs if HELIOS_SOAK is set.
func TestSoakStarts(t *testing.T) {
	soak(t)
	loadCPU(t)
	moving := composition(t, greyPage(changing))
	html, pausedShade := pausingPage(3)
	still := composition(t, html)
	var longest time.Duration
	for i := range 500 {
		c, want := moving, changingShade
		if i%2 > 0 {
			c, want = still, pausedShade
		}
		start := time.Now()
		b, err := browser.Launch(t.Context(), c.BrowserOptions(1))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Open(t.Context(), b, c, streamed(small))
		if err != nil {
			t.Fatalf("start %d: %v", i, err)
		}
		took := time.Since(start)
		longest = max(longest, took)
		if took > 3*time.Second {
			t.Errorf("start %d took %s", i, took)
		}
		err = p.Play(t.Context(), 0, 5, job.SeekReplay, func(f Frame) error {
			if got, want := shade(f), int(want(f.Index)); got < want-1 || got > want+1 {
				t.Errorf("start %d: frame %d has the shade %d, want %d", i, f.Index, got, want)
			}
			return nil
		})
		if err != nil {
			t.Errorf("start %d: %v", i, err)
		}
		p.Close()
		b.Close()
	}
	t.Logf("the longest start took %s", longest)
}
