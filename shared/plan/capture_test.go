package plan_test

import (
	"strings"
	"testing"

	"helios/shared/job"
	"helios/shared/plan"
)

func TestTheOutputFormatDecidesTheCaptureMode(t *testing.T) {
	for name, test := range map[string]struct {
		options plan.Options
		want    job.Capture
	}{
		"H.264":            {plan.Options{Config: job.Config{Output: "a.mp4"}}, job.CaptureStream},
		"H.264 in MOV":     {plan.Options{Config: job.Config{Output: "a.mov", VideoCodec: "libx264"}}, job.CaptureStream},
		"H.265":            {plan.Options{Config: job.Config{Output: "a.mp4", VideoCodec: "libx265", BitDepth: 8}}, job.CaptureStream},
		"AV1":              {plan.Options{Config: job.Config{Output: "a.mp4", VideoCodec: "libsvtav1"}}, job.CaptureStream},
		"VP9":              {plan.Options{Config: job.Config{Output: "a.webm"}}, job.CaptureStream},
		"10 bits":          {plan.Options{Config: job.Config{Output: "a.mp4", VideoCodec: "libx265", BitDepth: 10}}, job.CaptureScreenshot},
		"transparent VP9":  {plan.Options{Config: job.Config{Output: "a.webm", Transparent: true}}, job.CaptureScreenshot},
		"ProRes":           {plan.Options{Config: job.Config{Output: "a.mov"}}, job.CaptureScreenshot},
		"GIF":              {plan.Options{Config: job.Config{Output: "a.gif"}}, job.CaptureScreenshot},
		"PNG files":        {plan.Options{Config: job.Config{Output: "a.zip"}}, job.CaptureScreenshot},
		"JPEG files":       {plan.Options{Config: job.Config{Output: "a.zip", Format: job.JPEG}}, job.CaptureScreenshot},
		"an odd size":      {plan.Options{Config: job.Config{Output: "a.webm", Width: 333, Height: 187}}, job.CaptureScreenshot},
		"an odd size x 2":  {plan.Options{Config: job.Config{Output: "a.webm", Width: 333, Height: 187, Scale: 2}}, job.CaptureStream},
		"auto by its name": {plan.Options{Config: job.Config{Output: "a.mp4", Capture: job.CaptureAuto}}, job.CaptureStream},
		"screenshot":       {plan.Options{Config: job.Config{Output: "a.mp4", Capture: job.CaptureScreenshot}}, job.CaptureScreenshot},
	} {
		t.Run(name, func(t *testing.T) {
			o := test.options
			o.Input, o.FrameCount, o.Concurrency = "a.html", 4, 2
			spec := mustPlan(t, o)
			if spec.Config.Capture != test.want {
				t.Errorf("the mode is %q, want %q", spec.Config.Capture, test.want)
			}
			for _, p := range spec.Partitions {
				if !strings.Contains(p.Command, " --capture "+string(test.want)+" ") {
					t.Errorf("partition %d is rendered by %s", p.ID, p.Command)
				}
			}
		})
	}
}

func TestStreamDoesNotFitEveryOutput(t *testing.T) {
	_, err := plan.New(plan.Options{Config: job.Config{Input: "a.html", Output: "a.mov", FrameCount: 4, Capture: job.CaptureStream}})
	if err == nil || !strings.Contains(err.Error(), "use screenshot") {
		t.Errorf("the error is %v", err)
	}
}
