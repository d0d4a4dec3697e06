package capture

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"helios/shared/fault"
	"helios/shared/job"
)

func TestInspectMedia(t *testing.T) {
	t.Parallel()
	c := ownFolder(t, map[string]string{"index.html": `<!doctype html><html><body>
		<audio src="sounds/a%20%C3%A9.wav" data-helios-offset="1m30s" data-helios-seek="0.5" data-helios-volume="2.5"
			data-helios-fade-in="250ms" data-helios-fade-out="1" data-helios-loop data-helios-rate="1.5"
			data-helios-track-id="music" data-helios-duration="10"></audio>
		<audio loop id="own"><source src="b.xyz" type="sound/xyz"><source src="b.wav" type="audio/wav"></audio>
		<audio muted src="b.wav"></audio>
		<audio src="b.wav" data-helios-no-audio></audio>
		<audio></audio>
		<video src="v.mp4" width="32"></video>
		<div id="open"></div><div id="closed"></div>
		<p><template shadowrootmode="open"><audio src="b.wav?declarative"></audio></template></p>
		<iframe srcdoc="<audio src='b.wav?frame'></audio>"></iframe>
		<script>
			own.volume = 0.25; own.playbackRate = 2;
			for (const mode of ["open", "closed"]) {
				const el = document.createElement("audio");
				el.src = "b.wav?" + mode;
				document.getElementById(mode).attachShadow({ mode }).append(el);
			}
			new Audio("b.wav?played").play();
			new Audio("b.wav?silent");
			const late = document.createElement("audio");
			window.helios = { ready: new Promise((done) => setTimeout(() => {
				late.oncanplaythrough = () => { late.dataset.heliosTrackId = late.duration; done() };
				late.src = "b.wav?late";
				document.body.append(late);
			})) };
		</script>`})
	generate(t, c, "sounds/a é.wav", "-f", "lavfi", "-i", "sine=d=0.5")
	generate(t, c, "b.wav", "-f", "lavfi", "-i", "sine=d=0.5")
	generate(t, c, "v.mp4", "-f", "lavfi", "-i", "testsrc2=s=32x18:d=0.2")
	report, err := Inspect(t.Context(), launch(t, c), c, small, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := job.SecondsOf
	plain := func(url string) Media {
		return Media{Kind: "audio", URL: url, File: strings.Split(url, "?")[0], Volume: 1, Rate: 1}
	}
	own, muted, no, late := plain("b.wav"), plain("b.wav"), plain("b.wav"), plain("b.wav?late")
	own.Volume, own.Rate, own.Loop = 0.25, 2, true
	muted.Silent, no.Silent = true, true
	late.ID = "0.5"
	want := []Media{
		{
			Kind: "audio", URL: "sounds/a é.wav", File: "sounds/a é.wav", ID: "music", Offset: s(90 * time.Second),
			Seek: s(time.Second / 2), Duration: s(10 * time.Second), Volume: 2.5, FadeIn: s(time.Second / 4),
			FadeOut: s(time.Second), Loop: true, Rate: 1.5,
		},
		own, muted, no,
		{Kind: "video", URL: "v.mp4", File: "v.mp4", Volume: 1, Rate: 1},
		late, plain("b.wav?open"), plain("b.wav?closed"), plain("b.wav?declarative"), plain("b.wav?played"),
		plain("b.wav?frame"),
	}
	if diff := cmp.Diff(want, report.Media); diff != "" {
		t.Errorf("unexpected media elements (-want +got):\n%s", diff)
	}
	if len(report.Missing) > 0 {
		t.Errorf("missing: %v", report.Missing)
	}
	for _, name := range []string{"v.mp4", "b.wav", "sounds/a é.wav"} {
		if report.Files[name] == "" {
			t.Errorf("the files %v do not contain %s", report.Files, name)
		}
	}
}

func TestInspectReportsMediaErrors(t *testing.T) {
	for _, test := range []struct{ html, want string }{
		{`<video src="gone.mp4"></video>`, "gone.mp4 (HTTP status 404)"},
		{`<audio preload="none" src="gone.wav"></audio>`, "gone.wav (HTTP status 404)"},
		{`<video src="index.html"></video>`, "index.html (ffmpeg cannot read it"},
		{
			`<audio src="http://127.0.0.1:4444/a.wav"></audio>`,
			"a.wav (blocked: compositions cannot access this machine",
		},
		{`<audio src="data:audio/wav;base64,AA==" data-helios-rate="17">`, "rate of the audio element"},
		{`<audio src="data:audio/wav;base64,AA==" data-helios-offset="soon">`, "data-helios-offset of the audio element"},
	} {
		t.Run(test.want, func(t *testing.T) {
			t.Parallel()
			c := composition(t, test.html)
			report, err := Inspect(t.Context(), launch(t, c), c, small, nil)
			if err == nil {
				err = MissingError(report.Missing)
			}
			if fault.Of(err) != fault.User || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want a user error with %q", err, test.want)
			}
		})
	}
}
