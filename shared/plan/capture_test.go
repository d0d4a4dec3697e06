package plan_test

import (
	"strings"
	"testing"

	"helios/shared/job"
	"helios/shared/plan"
)

func TestTheOutputFormatDecidesTheCaptureMode(t *testing.T) {
	for name, test := range map[string]struct {
		config job.Config
		want   job.Capture
	}{
		"H.264":            {job.Config{Output: "a.mp4"}, job.CaptureStream},
		"H.264 in MOV":     {job.Config{Output: "a.mov", VideoCodec: "libx264"}, job.CaptureStream},
		"H.265":            {job.Config{Output: "a.mp4", VideoCodec: "libx265", BitDepth: 8}, job.CaptureStream},
		"AV1":              {job.Config{Output: "a.mp4", VideoCodec: "libsvtav1"}, job.CaptureStream},
		"VP9":              {job.Config{Output: "a.webm"}, job.CaptureStream},
		"10 bits":          {job.Config{Output: "a.mp4", VideoCodec: "libx265", BitDepth: 10}, job.CaptureScreenshot},
		"transparent VP9":  {job.Config{Output: "a.webm", Transparent: true}, job.CaptureScreenshot},
		"ProRes":           {job.Config{Output: "a.mov"}, job.CaptureScreenshot},
		"GIF":              {job.Config{Output: "a.gif"}, job.CaptureScreenshot},
		"PNG files":        {job.Config{Output: "a.zip"}, job.CaptureScreenshot},
		"JPEG files":       {job.Config{Output: "a.zip", Format: job.JPEG}, job.CaptureScreenshot},
		"an odd size":      {job.Config{Output: "a.webm", Width: 333, Height: 187}, job.CaptureScreenshot},
		"an odd size x 2":  {job.Config{Output: "a.webm", Width: 333, Height: 187, Scale: 2}, job.CaptureStream},
		"auto by its name": {job.Config{Output: "a.mp4", Capture: job.CaptureAuto}, job.CaptureStream},
		"screenshot":       {job.Config{Output: "a.mp4", Capture: job.CaptureScreenshot}, job.CaptureScreenshot},
	} {
		t.Run(name, func(t *testing.T) {
			test.config.Input, test.config.FrameCount = "a.html", 4
			spec := mustPlan(t, plan.Options{Config: test.config, Concurrency: 2})
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
	config := job.Config{Input: "a.html", Output: "a.mov", FrameCount: 4, Capture: job.CaptureStream}
	_, err := plan.New(plan.Options{Config: config})
	if err == nil || !strings.Contains(err.Error(), "use screenshot") {
		t.Errorf("the error is %v", err)
	}
}
