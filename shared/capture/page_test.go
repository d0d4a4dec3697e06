package capture

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"helios/shared/job"
)

func TestPropsAndSeedReachThePageAndItsFrames(t *testing.T) {
	c := folder(t, map[string]string{
		"index.html": `<!doctype html><script>const early = [window.__HELIOS_PROPS__, Math.random()]</script><iframe src="inner.html"></iframe>`,
		"inner.html": `<!doctype html><script>const early = [window.__HELIOS_PROPS__, Math.random()]; var inner = early</script>`,
	})
	b := launch(t, c)
	look := func(o Options) string {
		_, values := play(t, b, c, o, 0, 1, job.SeekReplay, "[early, frames[0].inner]")
		return values[0]
	}
	o := small
	plain := look(o)
	if !strings.HasPrefix(plain, "[[null,0.") || strings.Count(plain, "[null,") != 2 {
		t.Errorf("without props the page finds %s", plain)
	}
	o.Seed = 7
	if other := look(o); other == plain || other != look(o) {
		t.Errorf("with seed 7 the dice are %s, with seed 0 %s", other, plain)
	}
	o.Props = json.RawMessage("{\"text\":\"</script><!-- \u2028 ' \\\" \\\\ é 😀\",\"n\":[1,null]}")
	var got [2][2]any
	if err := json.Unmarshal([]byte(look(o)), &got); err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal(o.Props, &want); err != nil {
		t.Fatal(err)
	}
	wanted, _ := json.Marshal(want)
	for _, page := range got {
		if found, _ := json.Marshal(page[0]); string(found) != string(wanted) {
			t.Errorf("a page finds the props %s, want %s", found, wanted)
		}
	}
}

func TestPropsMayBeAnyJSON(t *testing.T) {
	c := composition(t, ``)
	b := launch(t, c)
	for _, props := range []string{`{}`, `[1]`, `"text"`, `0`, `null`} {
		o := small
		o.Props = json.RawMessage(props)
		_, values := play(t, b, c, o, 0, 1, job.SeekReplay, `JSON.stringify(window.__HELIOS_PROPS__)`)
		if want, _ := json.Marshal(props); values[0] != string(want) {
			t.Errorf("the page finds %s, want %s", values[0], want)
		}
	}
}

func TestAttributes(t *testing.T) {
	for _, test := range []struct {
		html string
		want Attributes
	}{
		{`<html data-duration="2.5" data-fps="25" data-width="640" data-height="360"><p>`, Attributes{"2.5", "25", "640", "360"}},
		{`<body><main data-duration="2" data-fps="24" data-width="1" data-height="2">`, Attributes{"2", "24", "1", "2"}},
		{`<body data-duration="3"><p>`, Attributes{Duration: "3"}},
		{`<html data-duration="1"><body><main data-duration="2" data-fps="50">`, Attributes{Duration: "1", FPS: "50"}},
		{`<html data-duration="soon" data-width="-1">`, Attributes{Duration: "soon", Width: "-1"}},
		{`<h1>nothing</h1>`, Attributes{}},
		{`<script>document.documentElement.dataset.duration = 1 + 1</script>`, Attributes{Duration: "2"}},
	} {
		c := composition(t, test.html)
		report, err := Inspect(t.Context(), launch(t, c), c, small, nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.Attributes != test.want {
			t.Errorf("%s says %+v, want %+v", test.html, report.Attributes, test.want)
		}
	}
}

func TestSeekIsCalledWithTheTimeOfEachFrame(t *testing.T) {
	c := composition(t, `<body><script>
		const diary = [];
		let ready = false;
		window.helios = {
			ready: new Promise((done) => setTimeout(() => { ready = true; done() })),
			async seek(seconds) { await null; diary.push(ready, seconds, performance.now()); document.body.textContent = seconds },
		};
	</script>`)
	b := launch(t, c)
	p := open(t, b, c, small)
	if !p.seeks {
		t.Error("the page has a seek function and is said to have none")
	}
	all, _ := play(t, b, c, small, 0, 8, job.SeekDirect, "")
	part, values := play(t, b, c, small, 6, 2, job.SeekDirect, "diary")
	if want := `[true,0,0,true,0.2,200,true,0.23333333333333334,233.4]`; values[1] != want {
		t.Errorf("seek was called with %s, want %s", values[1], want)
	}
	for i, f := range part {
		if string(f.PNG) != string(all[6+i].PNG) {
			t.Errorf("frame %d is another picture after a direct seek", f.Index)
		}
	}
}

func TestInspectTellsHowAPageMoves(t *testing.T) {
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
			t.Errorf("%s moves by %q, want %q", html, report.Animations, want)
		}
	}
}
