package capture

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"helios/shared/job"
)

// heardIn returns what is heard in two seconds of a page at 30 frames a second, a line each: the query of its
// address, when it begins, where in its source, and how long it is heard; and what else it says of itself.
func heardIn(t *testing.T, c Composition) (lines []string) {
	t.Helper()
	o := small
	o.FPS = job.Rate{Num: 25, Den: 1} // the page knows better
	report, err := Inspect(t.Context(), launch(t, c), c, o, func(Attributes) (job.Rate, int64, error) { return small.FPS, 60, nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range report.Media {
		_, name, _ := strings.Cut(m.URL, "?")
		line := fmt.Sprintf("%s at %s from %s", name, m.Offset, m.Seek)
		if !m.Duration.IsZero() {
			line += " for " + m.Duration.String()
		}
		if !m.FadeIn.IsZero() || !m.FadeOut.IsZero() {
			line += fmt.Sprintf(" fades %s %s", m.FadeIn, m.FadeOut)
		}
		if m.Rate != 1 {
			line += fmt.Sprintf(" rate %g", m.Rate)
		}
		if m.Volume != 1 {
			line += fmt.Sprintf(" volume %g", m.Volume)
		}
		lines = append(lines, line)
	}
	return lines
}

const sounding = `<script>
	const add = (name, set = {}, attributes = {}) => {
		const el = Object.assign(document.createElement("audio"), { src: "s.wav?" + name }, set);
		for (const [key, value] of Object.entries(attributes)) el.setAttribute("data-helios-" + key, value);
		document.body.append(el);
		return el;
	};
	const frames = (change) => { let n = 0; requestAnimationFrame(function f(t) { change(n++, t); requestAnimationFrame(f) }) };
</script>`

// Sound that comes, goes, stops and goes on after frame 0 is found, at the time at which it does.
func TestWhatScriptsPlayLaterIsHeard(t *testing.T) {
	for _, test := range []struct {
		name, html string
		want       []string
	}{
		{"nothing", `<p>quiet</p>`, nil},
		{"an element that was there", `<audio src="s.wav?a"></audio>`, []string{"a at 0 from 0"}},
		{"a timer's", `<script>setTimeout(() => add("a"), 1000); setTimeout(() => add("b"), 1234)</script>`, []string{"a at 1 from 0", "b at 1.234 from 0"}},
		{"autoplay", `<script>setTimeout(() => add("a", { autoplay: true }), 500)</script>`, []string{"a at 0.5 from 0"}},
		{"in what a script writes", `<div></div><script>setTimeout(() => { document.querySelector("div").innerHTML = "<p><video src='s.wav?a'></video></p>" }, 500)</script>`, []string{"a at 0.5 from 0"}},
		{"a frame's", `<script>frames((n) => { if (n === 30) add("a"); if (n === 31) add("b").play(); })</script>`, []string{"a at 1 from 0", "b at 1.033333333 from 0"}},
		{"by the time of a frame", `<script>let done; frames((n, t) => { if (!done && t >= 700 && performance.now() >= 700) done = add("a") })</script>`, []string{"a at 0.7 from 0"}},
		{"one that is in no page", `<script>setTimeout(() => new Audio("s.wav?a").play(), 400)</script>`, []string{"a at 0.4 from 0"}},
		{"one that was made before", `<script>const a = new Audio("s.wav?a"); setTimeout(() => a.play(), 400)</script>`, []string{"a at 0.4 from 0"}},
		{"one that plays when it can", `<script>setTimeout(() => { const el = add("a"); el.oncanplaythrough = () => { el.volume = el.duration / 4; el.play() } }, 400)</script>`,
			[]string{"a at 0.4 from 0 volume 0.75"}},
		{"one that waits for play()", `<audio src="s.wav?a"></audio><audio src="s.wav?b"></audio><script>setTimeout(() => document.querySelector("audio").play(), 800)</script>`,
			[]string{"b at 0 from 0", "a at 0.8 from 0"}},
		{"one that is played again", `<script>let a; setTimeout(() => { a = add("a") }, 500); setTimeout(() => { a.currentTime = 0; a.play() }, 1500)</script>`,
			[]string{"a at 1.5 from 0"}},
		{"an effect", `<script>const a = new Audio("s.wav?a"); for (const t of [300, 600]) setTimeout(() => { a.currentTime = 0; a.play() }, t)</script>`,
			[]string{"a at 0.3 from 0 for 0.3", "a at 0.6 from 0"}},
		{"its attributes", `<script>setTimeout(() => add("a", { loop: true, volume: 0.5, playbackRate: 2 }, { seek: "1", "fade-in": "0.5", "fade-out": "0.25", duration: "4" }), 500)</script>`,
			[]string{"a at 0.5 from 1 for 4 fades 0.5 0.25 rate 2 volume 0.5"}},
		{"its offset", `<script>setTimeout(() => { add("a", {}, { offset: "1.25" }); add("b", {}, { offset: "0.2", "fade-in": "1", duration: "1" }) }, 500)</script>`,
			[]string{"a at 1.25 from 0", "b at 0.5 from 0.3 for 0.7"}},
		{"removed", `<audio src="s.wav?a" data-helios-fade-out="1"></audio><div><audio src="s.wav?b"></audio></div>
			<script>setTimeout(() => document.querySelector("audio").remove(), 300); setTimeout(() => document.querySelector("div").textContent = "", 600)</script>`,
			[]string{"a at 0 from 0 for 0.3", "b at 0 from 0 for 0.6"}},
		{"moved in the page", `<audio src="s.wav?a"></audio><div></div><script>setTimeout(() => document.querySelector("div").append(document.querySelector("audio")), 300)</script>`,
			[]string{"a at 0 from 0"}},
		{"pause and play", `<audio autoplay src="s.wav?a" data-helios-seek="0.5" data-helios-fade-in="0.1" data-helios-fade-out="0.1"></audio>
			<script>const a = document.querySelector("audio"); setTimeout(() => a.pause(), 300); setTimeout(() => a.play(), 700)</script>`,
			[]string{"a at 0 from 0.5 for 0.3 fades 0.1 0", "a at 0.7 from 0.8 fades 0 0.1"}},
		{"paused from the start", `<audio src="s.wav?a"></audio><script>document.querySelector("audio").pause()</script>`, nil},
		{"sought", `<audio autoplay src="s.wav?a"></audio><script>setTimeout(() => { document.querySelector("audio").currentTime = 2 }, 300)</script>`,
			[]string{"a at 0 from 0 for 0.3", "a at 0.3 from 2"}},
		{"kept in step", `<audio autoplay src="s.wav?a"></audio><script>frames((n, t) => { document.querySelector("audio").currentTime = t / 1000 })</script>`, []string{"a at 0 from 0"}},
		{"another speed", `<audio autoplay src="s.wav?a"></audio><script>setTimeout(() => { document.querySelector("audio").playbackRate = 2 }, 500)</script>`,
			[]string{"a at 0 from 0 for 0.5", "a at 0.5 from 0.5 rate 2"}},
		{"another source", `<audio autoplay src="s.wav?a"></audio><script>setTimeout(() => { document.querySelector("audio").src = "s.wav?b" }, 500)</script>`,
			[]string{"a at 0 from 0 for 0.5", "b at 0.5 from 0"}},
		{"a closed shadow root", `<div></div><script>setTimeout(() => { document.querySelector("div").attachShadow({ mode: "closed" }).innerHTML = "<audio src='s.wav?a'></audio>" }, 500)</script>`,
			[]string{"a at 0.5 from 0"}},
		{"a frame that was there", `<iframe srcdoc="<script>setTimeout(() => { document.body.innerHTML = &quot;<audio src='s.wav?a'></audio>&quot; }, 500)</script>"></iframe>`,
			[]string{"a at 0.5 from 0"}},
		{"a seek function", `<script>helios = { seek(t) { if (t >= 0.5 && !document.querySelector("audio")) { add("a", {}, { offset: "1" }); add("b") } } }</script>`,
			[]string{"a at 1 from 0", "b at 0.5 from 0.5"}},
		{"made anew for each frame", `<div></div><script>helios = { seek(t) { document.querySelector("div").innerHTML = t < 0.5 || t > 1.2 ? "" : "<audio src='s.wav?a'></audio>" } }</script>`,
			[]string{"a at 0.5 from 0.5 for 0.733333333"}},
		{"the end of a CSS animation", `<style>p { animation: a 0.7s } @keyframes a { to { opacity: 0 } }</style><p>x</p>
			<script>document.querySelector("p").onanimationend = () => add("a"); setTimeout(() => add("b"), 1000)</script>`, []string{"a at 0.7 from 0", "b at 1 from 0"}},
		{"the end of a transition that begins later", `<style>p { transition: opacity 0.5s }</style><p>x</p>
			<script>document.addEventListener("transitionend", () => add("a")); setTimeout(() => { document.querySelector("p").style.opacity = 0 }, 500)</script>`, []string{"a at 1 from 0"}},
		{"the end of a Web Animation", `<p>x</p><script>document.querySelector("p").animate({ opacity: [1, 0] }, 600).finished.then(() => add("a"))</script>`, []string{"a at 0.6 from 0"}},
		{"what comes into sight", `<p style="position: fixed; top: 200px">x</p><script>new IntersectionObserver(([e]) => { if (e.isIntersecting) add("a") }).observe(document.querySelector("p"));
			setTimeout(() => { document.querySelector("p").style.top = 0 }, 500)</script>`, []string{"a at 0.5 from 0"}},
		{"after the end", `<script>setTimeout(() => add("a"), 1999); setTimeout(() => add("b"), 2001)</script>`, []string{"a at 1.999 from 0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := composition(t, "<body>"+sounding+test.html)
			generate(t, c, "s.wav", "-f", "lavfi", "-i", "anullsrc=r=8000:d=3")
			if diff := cmp.Diff(test.want, heardIn(t, c)); diff != "" {
				t.Errorf("it is heard otherwise (-want +got):\n%s", diff)
			}
		})
	}
}
