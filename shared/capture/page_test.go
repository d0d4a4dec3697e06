package capture

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"helios/shared/job"
)

func TestPropsAndSeed(t *testing.T) {
	t.Parallel()
	const script = `<!doctype html><script>
		const early = [window.__HELIOS_PROPS__, Math.random()];
		var inner = early; // for the page that contains this one</script>`
	c := folder(t, map[string]string{"index.html": script + `<iframe src="inner.html"></iframe>`, "inner.html": script})
	b := launch(t, c)
	evaluate := func(o Options) string {
		_, values := play(t, b, c, o, 0, 1, job.SeekReplay, "[early, frames[0].inner]")
		return values[0]
	}
	o := small
	plain := evaluate(o)
	if !strings.HasPrefix(plain, "[[null,0.") || strings.Count(plain, "[null,") != 2 {
		t.Errorf("without props, the page and its iframe have %s", plain)
	}
	o.Seed = 7
	if other := evaluate(o); other == plain || other != evaluate(o) {
		t.Errorf("seed 7 gives %s, seed 0 %s", other, plain)
	}
	o.Props = json.RawMessage("{\"text\":\"</script><!-- \u2028 ' \\\" \\\\ é 😀\",\"n\":[1,null]}")
	var got [2][2]any
	if err := json.Unmarshal([]byte(evaluate(o)), &got); err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal(o.Props, &want); err != nil {
		t.Fatal(err)
	}
	wantJSON, _ := json.Marshal(want)
	for _, page := range got {
		if found, _ := json.Marshal(page[0]); string(found) != string(wantJSON) {
			t.Errorf("the props are %s, want %s", found, wantJSON)
		}
	}
}

func TestPropsOfAnyType(t *testing.T) {
	t.Parallel()
	c := composition(t, ``)
	b := launch(t, c)
	for _, props := range []string{`{}`, `[1]`, `"text"`, `0`, `null`} {
		o := small
		o.Props = json.RawMessage(props)
		_, values := play(t, b, c, o, 0, 1, job.SeekReplay, `JSON.stringify(window.__HELIOS_PROPS__)`)
		if want, _ := json.Marshal(props); values[0] != string(want) {
			t.Errorf("the props are %s, want %s", values[0], want)
		}
	}
}

func TestInspectAttributes(t *testing.T) {
	for html, want := range map[string]Attributes{
		`<html data-duration="2.5" data-fps="25" data-width="640" data-height="360"><p>`: {"2.5", "25", "640", "360"},
		`<body><main data-duration="2" data-fps="24" data-width="1" data-height="2">`:    {"2", "24", "1", "2"},
		`<body data-duration="3"><p>`:                                          {Duration: "3"},
		`<html data-duration="1"><body><main data-duration="2" data-fps="50">`: {Duration: "1", FPS: "50"},
		`<html data-duration="soon" data-width="-1">`:                          {Duration: "soon", Width: "-1"},
		`<h1>nothing</h1>`: {},
		`<script>document.documentElement.dataset.duration = 1 + 1</script>`: {Duration: "2"},
	} {
		t.Run(html, func(t *testing.T) {
			t.Parallel()
			c := composition(t, html)
			report, err := Inspect(t.Context(), launch(t, c), c, small, nil)
			if err != nil {
				t.Fatal(err)
			}
			if report.Attributes != want {
				t.Errorf("the attributes are %+v, want %+v", report.Attributes, want)
			}
		})
	}
}

func TestInspectAnimations(t *testing.T) {
	for kind, html := range map[string]string{
		"":                `<p>`,
		"css-animation":   `<style>p { animation: a 1s } @keyframes a { to { opacity: 0 } }</style><p>`,
		"web-animation":   `<p id="p"><script>p.animate([{ opacity: 0 }], 500)</script>`,
		"svg-animation":   `<svg><rect><animate attributeName="x" to="1" dur="1s"/></rect></svg>`,
		"animation-frame": `<script>requestAnimationFrame(() => {})</script>`,
		"timer":           `<script>setInterval(() => {}, 10)</script>`,
		"canvas":          `<canvas></canvas><script>document.querySelector("canvas").getContext("2d")</script>`,
		"webgl":           `<canvas></canvas><script>document.querySelector("canvas").getContext("webgl")</script>`,
		"video":           `<video></video>`,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c := composition(t, html)
			report, err := Inspect(t.Context(), launch(t, c), c, small, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{kind}
			if kind == "" {
				want = []string{}
			}
			if !slices.Equal(report.Animations, want) {
				t.Errorf("the animations are %q, want %q", report.Animations, want)
			}
		})
	}
}

func TestSeekFunction(t *testing.T) {
	t.Parallel()
	c := composition(t, `<body><script>
		const log = [];
		let ready = false;
		window.helios = {
			ready: new Promise((done) => setTimeout(() => { ready = true; done() })),
			async seek(seconds) {
				await null;
				log.push(ready, seconds, performance.now());
				document.body.textContent = seconds;
			},
		};
	</script>`)
	b := launch(t, c)
	p := open(t, b, c, small)
	if !p.seeks {
		t.Error("the seek function was not found")
	}
	p.Close()
	all, _ := play(t, b, c, small, 0, 8, job.SeekDirect, "")
	part, values := play(t, b, c, small, 6, 2, job.SeekDirect, "log")
	if want := `[true,0,0,true,0.2,200,true,0.23333333333333334,233.4]`; values[1] != want {
		t.Errorf("ready, the argument of seek and performance.now() are %s, want %s", values[1], want)
	}
	for _, f := range part {
		if string(f.PNG) != string(all[f.Index].PNG) {
			t.Errorf("frame %d differs after a direct seek", f.Index)
		}
	}
}
