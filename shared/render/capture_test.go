package render

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helios/shared/fault"
	"helios/shared/job"
)

// newJob plans a render in a capture mode as the command line does.
func newJob(t *testing.T, page string, mode job.Capture, concurrency int) *Job {
	t.Helper()
	o := small(page)
	o.Concurrency, o.Capture, o.SeekMode = concurrency, mode, job.SeekAuto
	spec, err := planOnce(t, o)
	if err != nil {
		t.Fatal(err)
	}
	o.SeekMode, o.Capture = spec.Config.SeekMode, spec.Config.Capture
	j := jobOf(t, o)
	j.Spec = spec
	return j
}

func TestPartitionsOfAStreamAreTheWhole(t *testing.T) {
	page := composition(t, `<style>body { margin: 0; font: 30px monospace } p { animation: go 1s linear } @keyframes go { to { translate: 50px 20px; color: red } }</style>
		<p></p><script>let n = 0; requestAnimationFrame(function f() { requestAnimationFrame(f); document.querySelector("p").textContent = n++ })</script>`)
	whole := hashes(t, run(t, newJob(t, page, job.CaptureStream, 1)))
	for _, partitions := range []int{2, 3, 7} {
		if got := hashes(t, run(t, newJob(t, page, job.CaptureStream, partitions))); !slices.Equal(got, whole) {
			t.Errorf("%d partitions give other frames than one", partitions)
		}
	}
}

// A page that offers seek is replayed all the same if the spec says so.
func TestReplayOfAPageThatSeeks(t *testing.T) {
	page := composition(t, `<body style="margin: 0"><script>let calls = 0;
		window.helios = { seek() { calls++; document.body.style.background = "rgb(" + [20 * calls, 20 * calls, 20 * calls] + ")" } }</script>`)
	shades := map[job.SeekMode]string{}
	for _, seek := range []job.SeekMode{job.SeekReplay, job.SeekDirect} {
		o := small(page)
		o.StartFrame, o.FrameCount, o.SeekMode = 5, 1, seek
		shades[seek] = hashes(t, run(t, jobOf(t, o)))[0]
	}
	o := small(page)
	o.FrameCount, o.SeekMode = 6, job.SeekReplay
	all := hashes(t, run(t, jobOf(t, o)))
	if shades[job.SeekReplay] != all[5] {
		t.Error("frame 5 is another one if the partition begins with it")
	}
	if shades[job.SeekReplay] == shades[job.SeekDirect] {
		t.Error("a partition that replays has sought directly")
	}
}

func TestChunksOfTwoModesAreNotMerged(t *testing.T) {
	o := small(composition(t, `<p>text`))
	o.Capture, o.Concurrency = job.CaptureStream, 2
	j := jobOf(t, o)
	j.Partitions, j.Merge = []int{0}, false
	run(t, j)
	screenshots := *j.Spec
	screenshots.Config.Capture = job.CaptureScreenshot
	run(t, &Job{Spec: &screenshots, Composition: j.Composition, Chunks: j.Chunks, Partitions: []int{1}, Workers: 1})
	inputs := []Input{{Name: j.Spec.Partitions[0].OutputFile}, {Name: j.Spec.Partitions[1].OutputFile}}
	err := Merge(t.Context(), j.Chunks, inputs, filepath.Join(t.TempDir(), "out.mp4"), MergeOptions{})
	if fault.Of(err) != fault.User || !strings.Contains(err.Error(), "was captured in mode screenshot, but out.0000.mp4 in mode stream") {
		t.Errorf("the error is %v", err)
	}
}
