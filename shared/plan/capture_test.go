package plan_test

import (
	"strings"
	"testing"

	"helios/shared/job"
	"helios/shared/plan"
)

func TestTheWayOfCaptureIsInEveryCommand(t *testing.T) {
	o := plan.Options{Input: "a.html", FrameCount: 4, Concurrency: 2}
	plain := mustPlan(t, o)
	o.Capture = job.CaptureReference
	if spec := mustPlan(t, o); spec.JobID != plain.JobID || spec.Config.Capture != "" {
		t.Error("the reference by name is another job than the reference by default")
	}
	o.Capture, o.CaptureWhy = job.CaptureElements, "it was seen"
	spec := mustPlan(t, o)
	if spec.JobID == plain.JobID || spec.CaptureWhy != "it was seen" {
		t.Errorf("the job is %s, as that of the reference, or says %q", spec.JobID, spec.CaptureWhy)
	}
	for _, p := range spec.Partitions {
		if !strings.Contains(p.Command, " --capture elements ") {
			t.Errorf("partition %d is rendered by %s", p.ID, p.Command)
		}
	}
	o.CaptureWhy = "it was seen again"
	if again := mustPlan(t, o); again.JobID != spec.JobID {
		t.Error("another reason makes another job")
	}
}
