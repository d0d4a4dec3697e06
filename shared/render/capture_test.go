package render

import (
	"slices"
	"testing"

	"helios/shared/job"
)

// newJob plans a render in a capture mode as the command line does.
func newJob(t *testing.T, page string, mode job.Capture, concurrency int) *Job {
	t.Helper()
	o := small(page)
	o.Concurrency, o.Capture, o.Start = concurrency, mode, StartAuto
	spec, err := prepareOnce(t, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Start, o.Capture = spec.Config.Start, spec.Config.Capture
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
