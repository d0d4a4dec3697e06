package capture

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"helios/shared/job"
)

// soundOf returns one line for each interval in which a page plays sound in its first two seconds: the query of the
// URL, the offset, the position in the source, and other settings that are not the default.
func soundOf(t *testing.T, c Composition) (lines []string) {
	t.Helper()
	o := small
	o.FPS = job.Rate{Num: 25, Den: 1} // the page's own frame rate replaces it
	length := func(Attributes) (job.Rate, int64, error) { return small.FPS, 60, nil }
	report, err := Inspect(t.Context(), launch(t, c), c, o, length)
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

// soundFunctions defines add, which adds an audio element, and frames, which calls a function in each frame.
const soundFunctions = `<script>
	const add = (name, set = {}, attributes = {}) => {
		const el = Object.assign(document.createElement("audio"), { src: "s.wav?" + name }, set);
		for (const [key, value] of Object.entries(attributes)) el.setAttribute("data-helios-" + key, value);
		document.body.append(el);
		return el;
	};
	const frames = (change) => {
		let n = 0;
		requestAnimationFrame(function f(t) { change(n++, t); requestAnimationFrame(f) });
	};
</script>`

// Inspect finds the times of sound that scripts start, stop and change after frame 0.
func TestInspectSoundOfScripts(t *testing.T) {
	// after returns a script that runs at a time in milliseconds.
	after := func(ms int, script string) string {
		return fmt.Sprintf("<script>setTimeout(() => { %s }, %d)</script>", script, ms)
	}
	const query = `document.querySelector("audio")`
	for _, test := range []struct {
		name, html string
		want       []string
	}{
		{"none", `<p>quiet</p>`, nil},
		{"element of the page", `<audio src="s.wav?a"></audio>`, []string{"a at 0 from 0"}},
		{"timer", after(1000, `add("a")`) + after(1234, `add("b")`), []string{"a at 1 from 0", "b at 1.234 from 0"}},
		{"autoplay", after(500, `add("a", { autoplay: true })`), []string{"a at 0.5 from 0"}},
		{"innerHTML", `<div></div>` + after(500, `
			document.querySelector("div").innerHTML = "<p><video src='s.wav?a'></video></p>"`),
			[]string{"a at 0.5 from 0"}},
		{"animation frame", `<script>frames((n) => { if (n === 30) add("a"); if (n === 31) add("b").play(); })</script>`,
			[]string{"a at 1 from 0", "b at 1.033333333 from 0"}},
		{"timestamp of an animation frame", `<script>
			let done; frames((n, t) => { if (!done && t >= 700 && performance.now() >= 700) done = add("a") })</script>`,
			[]string{"a at 0.7 from 0"}},
		{"element outside the document", after(400, `new Audio("s.wav?a").play()`), []string{"a at 0.4 from 0"}},
		{"element that was created before", `<script>const a = new Audio("s.wav?a")</script>` + after(400, `a.play()`),
			[]string{"a at 0.4 from 0"}},
		{"canplaythrough", after(400, `
			const el = add("a"); el.oncanplaythrough = () => { el.volume = el.duration / 4; el.play() }`),
			[]string{"a at 0.4 from 0 volume 0.75"}},
		{"play()", `<audio src="s.wav?a"></audio><audio src="s.wav?b"></audio>` + after(800, query+`.play()`),
			[]string{"b at 0 from 0", "a at 0.8 from 0"}},
		{"play() again", `<script>let a</script>` + after(500, `a = add("a")`) + after(1500, `a.currentTime = 0; a.play()`),
			[]string{"a at 1.5 from 0"}},
		{"sound effect", `<script>const a = new Audio("s.wav?a");
			for (const t of [300, 600]) setTimeout(() => { a.currentTime = 0; a.play() }, t)</script>`,
			[]string{"a at 0.3 from 0 for 0.3", "a at 0.6 from 0"}},
		{"attributes", after(500, `add("a", { loop: true, volume: 0.5, playbackRate: 2 },
			{ seek: "1", "fade-in": "0.5", "fade-out": "0.25", duration: "4" })`),
			[]string{"a at 0.5 from 1 for 4 fades 0.5 0.25 rate 2 volume 0.5"}},
		{"offset", after(500, `add("a", {}, { offset: "1.25" });
			add("b", {}, { offset: "0.2", "fade-in": "1", duration: "1" })`),
			[]string{"a at 1.25 from 0", "b at 0.5 from 0.3 for 0.7"}},
		{"removed", `<audio src="s.wav?a" data-helios-fade-out="1"></audio><div><audio src="s.wav?b"></audio></div>` +
			after(300, query+`.remove()`) + after(600, `document.querySelector("div").textContent = ""`),
			[]string{"a at 0 from 0 for 0.3", "b at 0 from 0 for 0.6"}},
		{"moved in the document", `<audio src="s.wav?a"></audio><div></div>` +
			after(300, `document.querySelector("div").append(`+query+`)`), []string{"a at 0 from 0"}},
		{"pause and play", `<audio autoplay src="s.wav?a" data-helios-seek="0.5" data-helios-fade-in="0.1"
			data-helios-fade-out="0.1"></audio>` + after(300, query+`.pause()`) + after(700, query+`.play()`),
			[]string{"a at 0 from 0.5 for 0.3 fades 0.1 0", "a at 0.7 from 0.8 fades 0 0.1"}},
		{"paused from the start", `<audio src="s.wav?a"></audio><script>` + query + `.pause()</script>`, nil},
		{"currentTime", `<audio autoplay src="s.wav?a"></audio>` + after(300, query+`.currentTime = 2`),
			[]string{"a at 0 from 0 for 0.3", "a at 0.3 from 2"}},
		{"currentTime in each frame", `<audio autoplay src="s.wav?a"></audio>
			<script>frames((n, t) => { ` + query + `.currentTime = t / 1000 })</script>`, []string{"a at 0 from 0"}},
		{"playbackRate", `<audio autoplay src="s.wav?a"></audio>` + after(500, query+`.playbackRate = 2`),
			[]string{"a at 0 from 0 for 0.5", "a at 0.5 from 0.5 rate 2"}},
		{"another source", `<audio autoplay src="s.wav?a"></audio>` + after(500, query+`.src = "s.wav?b"`),
			[]string{"a at 0 from 0 for 0.5", "b at 0.5 from 0"}},
		{"closed shadow root", `<div></div>` + after(500, `
			document.querySelector("div").attachShadow({ mode: "closed" }).innerHTML =
				"<audio src='s.wav?a'></audio>"`), []string{"a at 0.5 from 0"}},
		{"iframe", `<iframe srcdoc="<script>setTimeout(() => {
			document.body.innerHTML = &quot;<audio src='s.wav?a'></audio>&quot; }, 500)</script>"></iframe>`,
			[]string{"a at 0.5 from 0"}},
		{"seek function", `<script>helios = { seek(t) {
			if (t >= 0.5 && !` + query + `) { add("a", {}, { offset: "1" }); add("b") } } }</script>`,
			[]string{"a at 1 from 0", "b at 0.5 from 0.5"}},
		{"new element in each frame", `<div></div><script>helios = { seek(t) {
			document.querySelector("div").innerHTML = t < 0.5 || t > 1.2 ? "" : "<audio src='s.wav?a'></audio>" } }</script>`,
			[]string{"a at 0.5 from 0.5 for 0.733333333"}},
		{"end of a CSS animation", `<style>p { animation: a 0.7s } @keyframes a { to { opacity: 0 } }</style><p>x</p>
			<script>document.querySelector("p").onanimationend = () => add("a")</script>` + after(1000, `add("b")`),
			[]string{"a at 0.7 from 0", "b at 1 from 0"}},
		{"end of a later transition", `<style>p { transition: opacity 0.5s }</style><p>x</p>
			<script>document.addEventListener("transitionend", () => add("a"))</script>` +
			after(500, `document.querySelector("p").style.opacity = 0`), []string{"a at 1 from 0"}},
		{"end of a Web Animation", `<p>x</p><script>
			document.querySelector("p").animate({ opacity: [1, 0] }, 600).finished.then(() => add("a"))</script>`,
			[]string{"a at 0.6 from 0"}},
		{"IntersectionObserver", `<p style="position: fixed; top: 200px">x</p><script>
			new IntersectionObserver(([e]) => { if (e.isIntersecting) add("a") }).observe(document.querySelector("p"))
			</script>` + after(500, `document.querySelector("p").style.top = 0`), []string{"a at 0.5 from 0"}},
		{"after the end", after(1999, `add("a")`) + after(2001, `add("b")`), []string{"a at 1.999 from 0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := composition(t, "<body>"+soundFunctions+test.html)
			generate(t, c, "s.wav", "-f", "lavfi", "-i", "anullsrc=r=8000:d=3")
			if diff := cmp.Diff(test.want, soundOf(t, c)); diff != "" {
				t.Errorf("unexpected sound (-want +got):\n%s", diff)
			}
		})
	}
}
