package render

import (
	"path/filepath"
	"slices"
	"testing"

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

func TestPartitionsInStreamMode(t *testing.T) {
	page := composition(t, `<style>
			body { margin: 0; font: 30px monospace }
			p { animation: go 1s linear }
			@keyframes go { to { translate: 50px 20px; color: red } }
		</style><p></p><script>
			let n = 0;
			requestAnimationFrame(function f() {
				requestAnimationFrame(f);
				document.querySelector("p").textContent = n++;
			});
		</script>`)
	whole := hashes(t, run(t, newJob(t, page, job.CaptureStream, 1)))
	for _, partitions := range []int{2, 7} {
		if got := hashes(t, run(t, newJob(t, page, job.CaptureStream, partitions))); !slices.Equal(got, whole) {
			t.Errorf("%d partitions: the frames differ from those of one", partitions)
		}
	}
}

// A page that offers seek is replayed if the spec requires it.
func TestReplayOfAPageThatSeeks(t *testing.T) {
	page := composition(t, `<body style="margin: 0"><script>
		let calls = 0;
		window.helios = { seek() {
			const level = 20 * ++calls;
			document.body.style.background = "rgb(" + [level, level, level] + ")";
		} };
	</script>`)
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
		t.Error("frame 5 differs if a partition starts with it")
	}
	if shades[job.SeekReplay] == shades[job.SeekDirect] {
		t.Error("the replay shows the frame of a direct seek")
	}
}

func TestMergeRejectsMixedCaptureModes(t *testing.T) {
	o := small(composition(t, `<p>text`))
	o.Capture, o.Concurrency = job.CaptureStream, 2
	j := jobOf(t, o)
	j.Partitions, j.Merge = []int{0}, false
	run(t, j)
	screenshots := *j.Spec
	screenshots.Config.Capture = job.CaptureScreenshot
	run(t, &Job{
		Spec: &screenshots, Composition: j.Composition, Chunks: j.Chunks, Partitions: []int{1}, Workers: 1,
	})
	inputs := []Input{{Name: j.Spec.Partitions[0].OutputFile}, {Name: j.Spec.Partitions[1].OutputFile}}
	err := Merge(t.Context(), j.Chunks, inputs, filepath.Join(t.TempDir(), "out.mp4"), MergeOptions{})
	wantUser(t, err, "was captured in mode screenshot, but out.0000.mp4 in mode stream")
}
