package capture

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"helios/shared/job"
)

// clocks is a page that records its clocks in each frame.
const clocks = `<script>
	window.times = null;
	requestAnimationFrame(function frame(timestamp) {
		requestAnimationFrame(frame);
		times = [performance.now(), timestamp, Date.now(), document.timeline.currentTime];
	});
</script>`

func TestClocksAreExactAfterAnHour(t *testing.T) {
	const hour = 107_892 // frames at 30000/1001
	c := composition(t, clocks)
	for _, rate := range []string{"24", "30000/1001", "59.94", "1000", "1/2"} {
		t.Run(rate, func(t *testing.T) {
			t.Parallel()
			fps, err := job.ParseRate(rate)
			if err != nil {
				t.Fatal(err)
			}
			o := small
			o.FPS = fps
			err = playOnce(t, launch(t, c), c, o, hour, 3, job.SeekDirect, func(p *Player, f Frame) error {
				var times [4]float64
				if err := p.page.Evaluate(t.Context(), "times", &times); err != nil {
					return err
				}
				want := fps.Milliseconds(f.Index)
				for i, name := range []string{"performance.now()", "the timestamp", "", "document.timeline"} {
					if name != "" && math.Abs(times[i]-want) > 0.1 {
						t.Errorf("frame %d: %s is %v, want %v", f.Index, name, times[i], want)
					}
				}
				if date := Epoch*1000 + math.Floor(want); math.Abs(times[2]-date) > 1 {
					t.Errorf("frame %d: Date.now() is %v, want %v", f.Index, times[2], date)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// At 25 frames per second, each frame coincides with an interval and a timer. They run before the frame.
func TestTimersRunBeforeTheirFrame(t *testing.T) {
	c := composition(t, `<body><script>
		const log = [], write = (what) => log.push(what + " " + performance.now());
		setInterval(() => write("interval"), 40);
		setInterval(() => write("double"), 80);
		(function chain() { setTimeout(() => { write("timeout"); chain(); }, 40); })();
		requestAnimationFrame(function frame() {
			requestAnimationFrame(frame); write("frame"); setTimeout(() => write("soon"));
		});
	</script>`)
	b := launch(t, c)
	o := small
	o.FPS = job.Rate{Num: 25, Den: 1}
	loadCPU(t)
	var want []string
	for range 3 {
		_, got := play(t, b, c, o, 0, 8, job.SeekReplay, "log")
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Fatalf("two runs differ:\n%s\n%s", got[7], want[7])
		}
	}
	const start = `["frame 0","soon 0","interval 40","timeout 40","frame 40"`
	if got := want[7]; !strings.HasPrefix(got, start) {
		t.Errorf("the log is %s\nwant %s…", got, start)
	}
}

// A timer that a frame sets does not wait for an earlier timer that is due later. See clock.mark.
func TestTimersOfAFrameRunOnTime(t *testing.T) {
	t.Parallel()
	c := composition(t, `<body><script>
		const late = [], after = (ms, then = () => {}) => {
			const due = performance.now() + ms;
			setTimeout(() => { const now = performance.now(); if (now - due > .2) late.push([due, now]); then() }, ms);
		};
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = () => after(3);
		setInterval(() => {}, 47);
		requestAnimationFrame(function frame(t) {
			requestAnimationFrame(frame);
			if (t === 0) return; // see clock.mark
			after(5, () => after(5));
			Promise.resolve().then(() => after(2));
			port2.postMessage(0);
		});
	</script>`)
	b := launch(t, c)
	for range 3 {
		if _, values := play(t, b, c, small, 150, 1, job.SeekReplay, "late"); values[0] != "[]" {
			t.Errorf("late timers, as [due, run] in ms: %s", values[0])
		}
	}
}

// Scripts run in skipped frames as in captured ones.
func TestSkippedFramesRunLikeCapturedOnes(t *testing.T) {
	t.Parallel()
	c := composition(t, `<style>
			#box { position: absolute; width: 9px; height: 9px; transition: left .2s } .on { left: 90px }
			#cut { animation: go .3s 2 } @keyframes go { to { opacity: .5 } }
		</style>
		<div id=box></div><div id=cut></div><p style="height: 900px"></p><script>
		const log = [], write = (...words) => log.push(words.join(" "));
		const now = () => Math.floor(performance.now());
		let n = 0, before; // tasks of the current frame may run before or after the log is read
		setInterval(() => write("interval", now()), 47);
		setInterval(() => write("with a frame", now()), 100);
		setInterval(() => box.classList.toggle("on"), 410);
		for (const type of ["transitionrun", "transitionend", "animationiteration", "animationend"]) {
			addEventListener(type, (e) => write(type, now()));
		}
		onscroll = () => write("scroll", scrollY, now());
		new ResizeObserver(() => write("resize", box.offsetWidth, now())).observe(box);
		new IntersectionObserver(([e]) => write("intersection", e.isIntersecting, now())).observe(box);
		box.animate([{ opacity: 0 }, { opacity: 1 }], 700).finished.then(() => write("finished", now()));
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = (e) => write("message", e.data);
		requestAnimationFrame(function frame(t) {
			requestAnimationFrame(frame);
			before = log.length;
			write("frame", n++, t, document.timeline.currentTime, Date.now());
			setTimeout(() => write("soon", now()));
			if (n > 1) setTimeout(() => { write("later", now()); setTimeout(() => write("last", now()), 5); }, 5);
			Promise.resolve().then(() => write("microtask"));
			if (n % 9 === 0) { port2.postMessage(n); scrollTo(0, n); box.style.width = n + "px"; }
		});
		</script>`)
	b := launch(t, c)
	const frames, expression = 150, "log.slice(0, before)"
	_, want := play(t, b, c, small, 0, frames, job.SeekReplay, expression)
	for _, from := range []int64{1, 4, 67, frames - 1} {
		count := frames - from
		if from > 1 {
			count = min(count, 20)
		}
		_, got := play(t, b, c, small, from, count, job.SeekReplay, expression)
		for i, log := range got {
			want := want[from+int64(i)]
			if log != want {
				k := 0
				for k < min(len(log), len(want)) && log[k] == want[k] {
					k++
				}
				start := max(0, k-60)
				t.Errorf("from frame %d, the log at frame %d is …%.200s\nwant …%.200s",
					from, from+int64(i), log[start:], want[min(start, len(want)):])
				break
			}
		}
	}
}

// Animations of all kinds show the same in a partition that starts at any frame.
func TestPartitionsDoNotChangeAnimations(t *testing.T) {
	t.Parallel()
	c := composition(t, `<style>
		div { position: absolute; top: 10px; width: 20px; height: 20px; background: teal }
		#css { animation: go 1s -.35s linear infinite alternate } @keyframes go { to { transform: translateX(120px) } }
		#transition { top: 40px; transition: left .2s; left: 0 }
		#web { top: 70px }
		</style><div id="css"></div><div id="transition"></div><div id="web"></div>
		<svg width="160" height="20" style="position:fixed; top:90px"><rect width="9" height="9">
			<animate attributeName="x" to="150" dur=".5s" fill="freeze"/></rect></svg>
		<script>
		setTimeout(() => transition.style.left = "100px", 70);
		web.animate([{ left: 0 }, { left: "130px" }], { duration: 150, delay: 40 })
			.finished.then(() => web.animate([{ opacity: 0 }, { opacity: 1 }], 120));
		</script>`)
	b := launch(t, c)
	o := small
	o.Height = 120
	all, _ := play(t, b, c, o, 0, 15, job.SeekReplay, "")
	for _, from := range []int64{1, 2, 7, 13} {
		part, _ := play(t, b, c, o, from, 2, job.SeekReplay, "")
		for _, f := range part {
			if string(f.PNG) != string(all[f.Index].PNG) {
				t.Errorf("frame %d differs in a partition that starts at frame %d", f.Index, from)
			}
		}
	}
	if n := distinct(all); n < 12 {
		t.Errorf("%d of 15 frames are distinct, want at least 12", n)
	}
}

func TestAnimationTimes(t *testing.T) {
	t.Parallel()
	// The box grows by 3 pixels per frame.
	c := composition(t, `<style>div { height: 9px; animation: grow 1s linear }
		@keyframes grow { from { width: 0 } to { width: 90px } }</style><div></div>`)
	const expression = `document.querySelector("div").getBoundingClientRect().width`
	_, widths := play(t, launch(t, c), c, small, 0, 25, job.SeekReplay, expression)
	for n, text := range widths {
		width, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Abs(width-3*float64(n)) > 0.02 {
			t.Errorf("the width in frame %d is %s, want %d", n, text, 3*n)
		}
	}
}

func TestFrameTimes(t *testing.T) {
	for _, rate := range []string{"23.976", "24", "30", "29.97", "60", "1000"} {
		fps, err := job.ParseRate(rate)
		if err != nil {
			t.Fatal(err)
		}
		last := microseconds(-1)
		for _, n := range []int64{0, 1, 2, 3, 999, 1000, 1_000_000} {
			got := frameTime(fps, n)
			late := float64(got) - fps.Milliseconds(n)*1000
			if got%resolution != 0 || got <= last || late < -1e-6 || late >= 100 {
				t.Errorf("%s fps: the time of frame %d is %d µs, want %v", rate, n, got, fps.Milliseconds(n)*1000)
			}
			last = got
		}
	}
}
