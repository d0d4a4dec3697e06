package render

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"helios/shared/capture"
	"helios/shared/job"
	"helios/shared/plan"
)

// clicking is a page with a click at 2 s: the source starts at 1 s and has the click after 1 s.
const clicking = `<audio src="click.wav" data-helios-offset="1"></audio>`

// clickPage writes a page and its source, and returns options for three seconds from startFrame.
func clickPage(t *testing.T, html string, startFrame int64) plan.Options {
	t.Helper()
	needChromium(t)
	o := small(composition(t, html))
	source := filepath.Join(filepath.Dir(o.Input), "click.wav")
	tool(t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", `aevalsrc=0.9*eq(n\,48000):s=48000:d=2`, source)
	o.Width, o.Height, o.FPS = 64, 36, job.Rate{Num: 10, Den: 1}
	o.StartFrame, o.FrameCount, o.Concurrency = startFrame, 30, 2
	return o
}

// click returns the index of the loudest sample of the left channel, and the number of samples.
func click(t *testing.T, file string) (at, samples int) {
	t.Helper()
	loudest := 0.0
	raw := runFFmpeg(t, file, "-map", "0:a", "-ac", "2", "-f", "f32le", "-")
	for i := 0; i+8 <= len(raw); i += 8 {
		if v := math.Abs(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i:])))); v > loudest {
			at, loudest = i/8, v
		}
	}
	return at, len(raw) / 8
}

// later contains pages whose script adds the element at 1 s, so that the click is also at 2 s.
var later = map[string]string{
	"a timer": `<script>
		setTimeout(() => { document.body.innerHTML = '<audio autoplay src="click.wav"></audio>' }, 1000)
	</script>`,
	"a timer and play": `<script>setTimeout(() => new Audio("click.wav").play(), 1000)</script>`,
	"a frame": `<script>requestAnimationFrame(function f(t) {
		if (t < 1000) return requestAnimationFrame(f);
		document.body.innerHTML = '<audio src="click.wav"></audio>';
	})</script>`,
	"a seek": `<script>window.helios = { seek(t) {
		if (t > 0.5) document.body.innerHTML = '<audio src="click.wav" data-helios-offset="1"></audio>' } }</script>`,
}

func TestSoundTimes(t *testing.T) {
	pages := map[string]string{"an element": clicking}
	for name, script := range later {
		pages[name] = "<body>" + script
	}
	for name, html := range pages {
		t.Run(name, func(t *testing.T) {
			starts := []int64{15}
			if name == "an element" || name == "a timer" {
				starts = []int64{0, 15}
			}
			for _, start := range starts {
				o := clickPage(t, html, start)
				spec, err := planOnce(t, o)
				if err != nil {
					t.Fatal(err)
				}
				j := jobOf(t, o)
				j.Spec, j.Workers = spec, 1
				want := 96000 - int(start)*4800
				if at, samples := click(t, run(t, j)); at < want-1 || at > want+1 || samples < 144000 {
					t.Errorf("from frame %d, the click is at sample %d of %d, want %d of 144000", start, at, samples, want)
				}
				checkClean(t, j)
			}
		})
	}
}

// Measure finds elements that a script adds later.
func TestMeasureFindsLaterSound(t *testing.T) {
	o := clickPage(t, "<body>"+later["a timer"], 0)
	c, err := capture.Locate("", o.Input)
	if err != nil {
		t.Fatal(err)
	}
	o.SeekMode = job.SeekReplay
	s, err := Measure(t.Context(), o, c)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Tracks) != 1 || s.Tracks[0].Offset.String() != "1" {
		t.Errorf("the tracks are %+v", s.Tracks)
	}
}

// A missing source is reported before the first frame.
func TestMissingAudioSource(t *testing.T) {
	o := clickPage(t, clicking, 0)
	o.Tracks = []job.Track{{Source: filepath.Join(filepath.Dir(o.Input), "click.wav"), Volume: 1}}
	j := jobOf(t, o)
	if err := os.Remove(o.Tracks[0].Source); err != nil {
		t.Fatal(err)
	}
	var e events
	j.Report = e.add
	wantUser(t, j.Run(t.Context()), "click.wav does not exist; add it, or remove the track")
	if len(e.list) != 0 {
		t.Errorf("the job reported %v", e.list)
	}
}
