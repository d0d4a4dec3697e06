package job_test

import (
	"encoding/json"
	"testing"

	"helios/shared/job"
)

// A spec in memory can contain values that no JSON document can.
func TestValidateSpecInMemory(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*job.Spec)
		want   string
	}{
		"as read": {func(s *job.Spec) {}, ""},
		"absolute paths": {func(s *job.Spec) {
			s.Config.Input = "/a/b.html"
			s.Config.Output = "/c/d.mp4"
			s.Merge.Output = "/c/d.mp4"
		}, ""},
		"version":         {func(s *job.Spec) { s.Version = 0 }, "version"},
		"job id":          {func(s *job.Spec) { s.JobID = "a/b" }, "jobId"},
		"invalid UTF-8":   {func(s *job.Spec) { s.Config.Input = "\xff.html" }, "config.input"},
		"invalid props":   {func(s *job.Spec) { s.Config.Props = json.RawMessage(`{`) }, "config.props"},
		"props not UTF-8": {func(s *job.Spec) { s.Config.Props = json.RawMessage("{\"a\":\"\xff\"}") }, "config.props"},
		"a screenshot":    {func(s *job.Spec) { s.Config.Capture = job.CaptureScreenshot }, ""},
		"no capture":      {func(s *job.Spec) { s.Config.Capture = "" }, "config.capture"},
		"auto capture":    {func(s *job.Spec) { s.Config.Capture = job.CaptureAuto }, "config.capture"},
		"another mode":    {func(s *job.Spec) { s.Config.Capture = "photo" }, "config.capture"},
		"an odd stream":   {func(s *job.Spec) { s.Config.Width = 101 }, "config.capture"},
		"a clear stream":  {func(s *job.Spec) { s.Config.Transparent = true }, "config.capture"},
		"no rate":         {func(s *job.Spec) { s.Config.FPS = job.Rate{} }, "config.fps"},
		"rate by hand":    {func(s *job.Spec) { s.Config.FPS = job.Rate{Num: 1, Den: 0} }, "config.fps"},
		"no duration":     {func(s *job.Spec) { s.Config.Duration = job.Seconds{} }, "config.duration"},
		"many partitions": {func(s *job.Spec) { s.Partitions = make([]job.Partition, job.MaxPartitions+1) }, "partitions"},
		"no partitions":   {func(s *job.Spec) { s.Partitions = nil }, "partitions"},
		"chunk not UTF-8": {func(s *job.Spec) { s.Partitions[0].OutputFile = "\xff.mp4" }, "partitions[0].outputFile"},
		"no chunk":        {func(s *job.Spec) { s.Partitions[0].OutputFile = "" }, "partitions[0].outputFile"},
		"output as chunk": {func(s *job.Spec) { s.Config.Output = "./intro.0000.mp4" }, "partitions[0].outputFile"},
		"frames that wrap around": {func(s *job.Spec) {
			s.Partitions[0].FrameCount = 1<<63 - 1
		}, "partitions[0].frameCount"},
	} {
		t.Run(name, func(t *testing.T) {
			spec, err := job.Parse(valid)
			if err != nil {
				t.Fatal(err)
			}
			c.change(spec)
			err = spec.Validate()
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e, ok := err.(*job.Error); !ok || e.Field != c.want {
				t.Errorf("got %v, want an error in %s", err, c.want)
			}
		})
	}
}
