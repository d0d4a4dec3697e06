package render

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/job"
)

// canvasPage is all canvas; what a script adds after some time is not.
func canvasPage(script string) string {
	return `<style>body { margin: 0 } canvas { display: block }</style><canvas width="160" height="90"></canvas><script>
		const d = document.querySelector("canvas").getContext("2d");
		requestAnimationFrame(function f(t) { requestAnimationFrame(f);
			d.fillStyle = "#fed"; d.fillRect(0, 0, 160, 90); d.fillStyle = "#123"; d.font = "30px monospace"; d.fillText(t.toFixed(1), 9, 50) });
		` + script + `</script>`
}

// newJob plans a render as the command line does.
func newJob(t *testing.T, page string, way job.Capture, concurrency int) *Job {
	t.Helper()
	o := small(page)
	o.Concurrency, o.Capture, o.Start = concurrency, way, StartAuto
	spec, err := prepareOnce(t, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Start, o.Capture = spec.Config.Start, spec.Config.Capture
	j := jobOf(t, o)
	j.Spec = spec
	return j
}

func TestAFastWayIsChosenWhereItIsWorthIt(t *testing.T) {
	o := small(composition(t, strings.ReplaceAll(strings.ReplaceAll(canvasPage(""), "160", "1280"), "90", "720")))
	o.Width, o.Height, o.Capture = 1280, 720, CaptureAuto
	for frames, want := range map[int64]job.Capture{108: "", 109: job.CaptureCanvas} {
		o.FrameCount = frames
		spec, err := prepareOnce(t, o)
		if err != nil {
			t.Fatal(err)
		}
		if spec.Config.Capture != want {
			t.Errorf("the way of %d frames is %q: %s", frames, spec.Config.Capture, spec.CaptureWhy)
		}
	}
}

func TestThePicturesOfACanvasAreThoseOfTheReference(t *testing.T) {
	page := composition(t, canvasPage(""))
	fast := newJob(t, page, job.CaptureCanvas, 3)
	fast.Spec.CaptureWhy = "it proved right"
	for _, p := range fast.Spec.Partitions {
		if !strings.Contains(p.Command, "--capture canvas") {
			t.Errorf("partition %d is to be rendered by %s", p.ID, p.Command)
		}
	}
	var told events
	fast.Report = told.add
	got := hashes(t, run(t, fast))
	if n := len(told.partitions(CaptureChosen)); n != 1 {
		t.Errorf("the way was told %d times", n)
	}
	want := hashes(t, run(t, newJob(t, page, job.CaptureReference, 2)))
	if len(got) != 12 || !slices.Equal(got, want) {
		t.Errorf("the frames are\n%s, want\n%s", got, want)
	}
}

func TestDrawnElementsLookLikeTheReference(t *testing.T) {
	page := composition(t, `<style>body { margin: 0; background: #123; color: #fff; font: 40px monospace } p { animation: go 2s linear } @keyframes go { to { translate: 60px 30px; rotate: 60deg } }</style>
		<p>text</p><script>let n = 0; requestAnimationFrame(function f() { requestAnimationFrame(f); document.querySelector("p").textContent = n++ })</script>`)
	fast := newJob(t, page, job.CaptureElements, 3)
	video := run(t, fast)
	whole := run(t, newJob(t, page, job.CaptureElements, 1))
	if got, want := hashes(t, video), hashes(t, whole); len(got) != 12 || !slices.Equal(got, want) {
		t.Errorf("the frames of three partitions are\n%s, of one\n%s", got, want)
	}
	reference := run(t, newJob(t, page, job.CaptureReference, 2))
	stats := tool(t, "ffmpeg", "-v", "error", "-i", video, "-i", reference, "-lavfi", "psnr=stats_file=-", "-f", "null", "-")
	for line := range strings.Lines(stats) {
		_, after, _ := strings.Cut(line, "psnr_avg:")
		psnr, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
		if err != nil || psnr < 45 {
			t.Errorf("too far from the reference: %s", line)
		}
	}
}

// Frame 10 lies between the samples and in the middle of a partition.
const late = `setTimeout(() => document.body.append("late"), 990); setTimeout(() => document.body.lastChild.remove(), 1090)`

func TestAJobWhoseWayWillNotDoStartsOver(t *testing.T) {
	page := composition(t, canvasPage(late))
	o := small(page)
	o.Capture, o.Concurrency = job.CaptureCanvas, 3
	j := jobOf(t, o)
	j.Workers = 1 // so that chunks are done before the job starts over
	var told events
	j.Report = told.add
	got := hashes(t, run(t, j))
	if ids := told.partitions(PartitionDone); !slices.Equal(ids, []int{0, 1, 0, 1, 2}) {
		t.Errorf("partitions %v were done, want all anew after the first two", ids)
	}
	if n := len(told.partitions(CaptureChosen)); n != 1 || !strings.Contains(told.list[slices.IndexFunc(told.list, func(e Event) bool { return e.Type == CaptureChosen })].Message, "reference: canvas would not do: in frame 10 there is text") {
		t.Errorf("the events are %+v", told.list)
	}
	want := hashes(t, run(t, newJob(t, page, job.CaptureReference, 2)))
	if !slices.Equal(got, want) {
		t.Errorf("the frames are\n%s, want\n%s", got, want)
	}
	checkClean(t, j)
}

func TestAPartOfAJobDoesNotStartOver(t *testing.T) {
	page := composition(t, canvasPage(late))
	o := small(page)
	o.Capture, o.Concurrency = job.CaptureCanvas, 3
	j := jobOf(t, o)
	j.Partitions, j.Merge = []int{2}, false
	err := j.Run(t.Context())
	u := new(capture.UnfitError)
	if !errors.As(err, &u) || fault.Of(err) != fault.User || !strings.Contains(err.Error(), "partition 2 (frames 8 to 11)") || !strings.Contains(err.Error(), "--capture reference") {
		t.Errorf("the error is %v", err)
	}
	checkClean(t, j)
}

func TestChunksOfTwoWaysAreNotMerged(t *testing.T) {
	page := composition(t, canvasPage(""))
	o := small(page)
	o.Capture, o.Concurrency = job.CaptureCanvas, 2
	j := jobOf(t, o)
	j.Partitions, j.Merge = []int{0}, false
	run(t, j)
	reference := *j.Spec
	reference.Config.Capture = ""
	other := &Job{Spec: &reference, Composition: j.Composition, Chunks: j.Chunks, Partitions: []int{1}, Workers: 1}
	run(t, other)
	err := Merge(t.Context(), j.Chunks, []Input{{Name: j.Spec.Partitions[0].OutputFile}, {Name: j.Spec.Partitions[1].OutputFile}}, filepath.Join(t.TempDir(), "out.mp4"), MergeOptions{})
	if fault.Of(err) != fault.User || !strings.Contains(err.Error(), "were taken by way of reference, but those of out.0000.mp4 by way of canvas") {
		t.Errorf("the error is %v", err)
	}
}
