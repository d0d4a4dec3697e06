package capture

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"
	"time"

	"helios/shared/browser"
	"helios/shared/job"
)

// grey is a page that shows the number of its frame, from 0, as a shade of grey. Its script sets number, and change calls it.
func grey(script string) string {
	return `<body style="margin: 0; background: #000"><script>
		const show = (number) => { const shade = number % 200; document.body.style.background = "rgb(" + [shade, shade, shade] + ")" };
		let n = 0;
		requestAnimationFrame(function frame() { requestAnimationFrame(frame); step(n++) });
	</script><script>` + script + `</script>`
}

// shade returns the number that a frame of a grey page shows.
func shade(f Frame) int {
	return (int(f.Pixels[45*160+80]) - 16) * 255 / 219
}

// checkShades plays a grey page and checks the number that each frame shows, which may be off by rounding.
func checkShades(t *testing.T, c Composition, o Options, from, count int64, want func(n int64) int64, emit func(Frame) error) {
	t.Helper()
	next := from
	err := playOnce(t, launch(t, c), c, streamed(o), from, count, job.SeekReplay, func(_ *Player, f Frame) error {
		if got := shade(f); f.Index != next || got < int(want(next)%200)-1 || got > int(want(next)%200)+1 {
			t.Errorf("frame %d, which should be %d, shows %d, not %d", f.Index, next, got, want(next)%200)
		}
		next++
		return emit(f)
	})
	if err != nil || next != from+count {
		t.Fatalf("%d frames came, want %d: %v", next-from, count, err)
	}
}

func keep(Frame) error { return nil }

func each(n int64) int64 { return 2 * n }

func TestASlowEncoderLosesNoFrame(t *testing.T) {
	c := composition(t, grey(`const step = (n) => show(2 * n)`))
	checkShades(t, c, small, 0, 40, each, func(f Frame) error {
		if f.Index%10 == 0 {
			time.Sleep(300 * time.Millisecond)
		}
		return nil
	})
}

// pausing returns a page that changes in some frames, and what it shows then.
func pausing(changes ...int64) (script string, want func(n int64) int64) {
	list, _ := bytes.CutSuffix(fmt.Append(nil, changes), []byte("]"))
	script = fmt.Sprintf(`const changes = new Set("%s".slice(1).split(" ").filter(Boolean).map(Number)); let shown = 0; const step = (n) => { if (changes.has(n)) show(shown += 20) }`, list)
	return script, func(n int64) (shown int64) {
		for _, change := range changes {
			if change <= n {
				shown += 20
			}
		}
		return shown
	}
}

func TestChangesAfterPauses(t *testing.T) {
	for name, test := range map[string]struct {
		changes []int64
		count   int64
	}{
		"of one frame":                  {[]int64{2, 4, 6, 8}, 12},
		"of 20 s":                       {[]int64{3, 603, 604}, 610},
		"at the start":                  {[]int64{1}, 5},
		"and in the last frame":         {[]int64{5, 9}, 10},
		"and not in the last frame":     {[]int64{5, 8}, 10},
		"without end":                   {nil, 40},
		"after some frames that pend":   {[]int64{6, 7}, 10},
		"after many frames that pend":   {[]int64{30}, 34},
		"and at once, and then for 1 s": {[]int64{1, 31}, 40},
	} {
		t.Run(name, func(t *testing.T) {
			script, want := pausing(test.changes...)
			checkShades(t, composition(t, grey(script)), small, 0, test.count, want, keep)
			middle := test.count / 2
			checkShades(t, composition(t, grey(script)), small, middle, test.count-middle, want, keep)
		})
	}
}

// alternating is a page of which a part changes in each frame and all of it in every third second, which Chromium takes for a video.
const alternating = `document.body.insertAdjacentHTML("beforeend", "<i style='position: absolute; width: 40px; height: 20px'></i>");
	const i = document.querySelector("i"); let base = 0;
	const step = (n) => { i.style.background = "rgb(" + n % 256 + ",0,0)"; if (n % 100 > 90) show(base += 3) }`

func damaged(n int64) (base int64) {
	base = n / 100 * 9
	if last := n % 100; last > 90 {
		base += last - 90
	}
	return 3 * base
}

func TestDamageThatAlternatesLosesNoFrame(t *testing.T) {
	count := int64(30 * 60)
	if testing.Short() {
		count = 300
	}
	checkShades(t, composition(t, grey(alternating)), small, 0, count, damaged, keep)
}

// TestSoakDamage plays 10 minutes of page time at each rate. It runs if HELIOS_SOAK is set.
func TestSoakDamage(t *testing.T) {
	soak(t)
	for _, rate := range []int64{24, 30, 60} {
		t.Run(strconv.FormatInt(rate, 10), func(t *testing.T) {
			o := small
			o.FPS = job.Rate{Num: rate, Den: 1}
			checkShades(t, composition(t, grey(alternating)), o, 0, rate*600, damaged, keep)
		})
	}
}

// TestSoakStarts opens a small page 500 times beside two busy loops. It runs if HELIOS_SOAK is set.
func TestSoakStarts(t *testing.T) {
	soak(t)
	loadCPU(t)
	moving := composition(t, grey(`const step = (n) => show(2 * n)`))
	script, paused := pausing(3)
	resting := composition(t, grey(script))
	var longest time.Duration
	for i := range 500 {
		c, want := moving, each
		if i%2 > 0 {
			c, want = resting, paused
		}
		began := time.Now()
		b, err := browser.Launch(t.Context(), c.Browser(1))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Open(t.Context(), b, c, streamed(small))
		if err != nil {
			t.Fatalf("start %d: %v", i, err)
		}
		took := time.Since(began)
		longest = max(longest, took)
		if took > 3*time.Second {
			t.Errorf("start %d took %s", i, took)
		}
		err = p.Play(t.Context(), 0, 5, job.SeekReplay, func(f Frame) error {
			if got, want := shade(f), int(want(f.Index)); got < want-1 || got > want+1 {
				t.Errorf("start %d: frame %d shows %d, not %d", i, f.Index, got, want)
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
