package capture

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"helios/shared/browser"
	"helios/shared/job"
)

// clocks writes down what the page's clocks say in each frame.
const clocks = `<script>
	window.said = null;
	requestAnimationFrame(function frame(timestamp) {
		requestAnimationFrame(frame);
		said = [performance.now(), timestamp, Date.now(), document.timeline.currentTime];
	});
</script>`

func TestClocksStayExactFarIntoAComposition(t *testing.T) {
	const hour = 107_892 // frames of 30000/1001 in an hour, about
	c := composition(t, clocks)
	b := launch(t, c)
	for _, rate := range []string{"24", "30000/1001", "59.94", "1000", "1/2"} {
		fps, err := job.ParseRate(rate)
		if err != nil {
			t.Fatal(err)
		}
		o := small
		o.FPS = fps
		p := open(t, b, c, o)
		err = p.Play(t.Context(), hour, 3, job.SeekDirect, func(f Frame) error {
			var said [4]float64
			if err := p.page.Evaluate(t.Context(), "said", &said); err != nil {
				return err
			}
			want := fps.Milliseconds(f.Index)
			for i, name := range []string{"performance.now()", "the timestamp", "", "document.timeline"} {
				if name != "" && math.Abs(said[i]-want) > 0.1 {
					t.Errorf("%s fps, frame %d: %s is %v, want %v", rate, f.Index, name, said[i], want)
				}
			}
			if math.Abs(said[2]-Epoch*1000-math.Floor(want)) > 1 {
				t.Errorf("%s fps, frame %d: Date.now() is %v, want %v", rate, f.Index, said[2], Epoch*1000+math.Floor(want))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		p.Close()
	}
}

// diary returns what a page wrote into the array diary in each of some frames.
func diary(t *testing.T, b *browser.Browser, c Composition, o Options, frames int64) []string {
	t.Helper()
	_, values := play(t, b, c, o, 0, frames, job.SeekReplay, "diary")
	return values
}

func TestTimersThatAreDueWithAFrameFireBeforeIt(t *testing.T) {
	// At 25 frames a second each frame falls together with a run of the interval, and with a timer.
	c := composition(t, `<body><script>
		const diary = [], write = (what) => diary.push(what + " " + performance.now());
		setInterval(() => write("interval"), 40);
		setInterval(() => write("double"), 80);
		(function chain() { setTimeout(() => { write("timeout"); chain(); }, 40); })();
		requestAnimationFrame(function frame() { requestAnimationFrame(frame); write("frame"); setTimeout(() => write("soon")); });
	</script>`)
	b := launch(t, c)
	o := small
	o.FPS = job.Rate{Num: 25, Den: 1}
	loadCPU(t)
	var want []string
	for range 5 {
		got := diary(t, b, c, o, 8)
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Fatalf("two runs differ:\n%s\n%s", got[7], want[7])
		}
	}
	const first = `["frame 0","soon 0","interval 40","timeout 40","frame 40"`
	if got := want[7]; len(got) < len(first) || got[:len(first)] != first {
		t.Errorf("the page lived through %s\nwant %s…", got, first)
	}
}

// A timer that a frame sets must not wait for one that was set before and is due later; see clock.mark.
func TestTimersThatAFrameSetsFireOnTime(t *testing.T) {
	c := composition(t, `<body><script>
		const late = [], after = (ms, then = () => {}) => {
			const due = performance.now() + ms;
			setTimeout(() => { const now = performance.now(); if (now - due > .2) late.push([due, now]); then(); }, ms);
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
			t.Errorf("due and fired, in milliseconds: %s", values[0])
		}
	}
}

// What the page's scripts see in frames that are skipped is what they see when every frame is captured.
func TestSkippedFramesRunLikeCapturedOnes(t *testing.T) {
	c := composition(t, `<style>#box { position: absolute; width: 9px; height: 9px; transition: left .2s } .on { left: 90px } #cut { animation: go .3s 2 } @keyframes go { to { opacity: .5 } }</style>
		<div id=box></div><div id=cut></div><p style="height: 900px"></p><script>
		const diary = [], write = (...words) => diary.push(words.join(" "));
		const now = () => Math.floor(performance.now());
		let n = 0, before; // the frame that is shown leaves tasks behind, which may run before or after a question
		setInterval(() => write("interval", now()), 47);
		setInterval(() => write("with a frame", now()), 100);
		setInterval(() => box.classList.toggle("on"), 410);
		for (const type of ["transitionrun", "transitionend", "animationiteration", "animationend"]) addEventListener(type, (e) => write(type, now()));
		onscroll = () => write("scroll", scrollY, now());
		new ResizeObserver(() => write("resize", box.offsetWidth, now())).observe(box);
		new IntersectionObserver(([e]) => write("intersection", e.isIntersecting, now())).observe(box);
		box.animate([{ opacity: 0 }, { opacity: 1 }], 700).finished.then(() => write("finished", now()));
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = (e) => write("message", e.data);
		requestAnimationFrame(function frame(t) {
			requestAnimationFrame(frame);
			before = diary.length;
			write("frame", n++, t, document.timeline.currentTime, Date.now());
			setTimeout(() => write("soon", now()));
			if (n > 1) setTimeout(() => { write("later", now()); setTimeout(() => write("last", now()), 5); }, 5);
			Promise.resolve().then(() => write("microtask"));
			if (n % 9 === 0) { port2.postMessage(n); scrollTo(0, n); box.style.width = n + "px"; }
		});
		</script>`)
	b := launch(t, c)
	const frames = 150
	_, want := play(t, b, c, small, 0, frames, job.SeekReplay, "diary.slice(0, before)")
	for _, from := range []int64{1, 4, 67, frames - 1} {
		_, got := play(t, b, c, small, from, frames-from, job.SeekReplay, "diary.slice(0, before)")
		for i, diary := range got {
			if diary != want[from+int64(i)] {
				k := 0
				for k < len(diary)-1 && diary[k] == want[from+int64(i)][k] {
					k++
				}
				t.Errorf("entered at frame %d, the page saw up to frame %d …%.200s\nwant …%.200s", from, from+int64(i), diary[max(0, k-60):], want[from+int64(i)][max(0, k-60):])
				break
			}
		}
	}
}

func TestAnEarlierFrameDoesNotMoveALaterOne(t *testing.T) {
	// Animations of all kinds that begin in the middle, entered at every frame.
	c := composition(t, `<style>
		div { position: absolute; top: 10px; width: 20px; height: 20px; background: teal }
		#css { animation: go 1s -.35s linear infinite alternate } @keyframes go { to { transform: translateX(120px) } }
		#transition { top: 40px; transition: left .2s; left: 0 }
		#web { top: 70px }
		</style><div id="css"></div><div id="transition"></div><div id="web"></div>
		<svg width="160" height="20" style="position:fixed; top:90px"><rect width="9" height="9"><animate attributeName="x" to="150" dur=".5s" fill="freeze"/></rect></svg>
		<script>
		setTimeout(() => transition.style.left = "100px", 70);
		web.animate([{ left: 0 }, { left: "130px" }], { duration: 150, delay: 40 }).finished.then(() => web.animate([{ opacity: 0 }, { opacity: 1 }], 120));
		</script>`)
	b := launch(t, c)
	o := small
	o.Height = 120
	all, _ := play(t, b, c, o, 0, 15, job.SeekReplay, "")
	for _, from := range []int64{1, 2, 7, 13} {
		part, _ := play(t, b, c, o, from, 2, job.SeekReplay, "")
		for _, f := range part {
			if string(f.PNG) != string(all[f.Index].PNG) {
				t.Errorf("frame %d is another picture when frames from %d on are drawn", f.Index, from)
			}
		}
	}
	if n := distinct(all); n < 12 {
		t.Errorf("only %d of 15 frames are different pictures", n)
	}
}

func TestFramesOfAnAnimationShowTheirTime(t *testing.T) {
	// The width of a box grows by 3 pixels a frame: its picture tells the time of the animation.
	c := composition(t, `<style>div { height: 9px; animation: grow 1s linear } @keyframes grow { from { width: 0 } to { width: 90px } }</style><div></div>`)
	_, widths := play(t, launch(t, c), c, small, 0, 25, job.SeekReplay, `document.querySelector("div").getBoundingClientRect().width`)
	for n, text := range widths {
		width, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Abs(width-3*float64(n)) > 0.02 {
			t.Errorf("frame %d: the box is %s wide, want %d", n, text, 3*n)
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
				t.Errorf("%s fps: frame %d at %d µs, exactly %s", rate, n, got, fmt.Sprint(fps.Milliseconds(n)*1000))
			}
			last = got
		}
	}
}
