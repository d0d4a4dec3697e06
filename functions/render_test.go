//go:build cloud

package functions

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"helios/shared/cloud"
)

// One of three partitions is throttled at first, because the concurrency of the chunk function is 2.
func TestRender(t *testing.T) {
	s := startStack(t)
	s.put(t, "sites/a/index.html", page)
	const request = `{"input": "s3://helios-test/sites/a/index.html", "output": "renders/a.mp4", "concurrency": 3,
		"revision": "1"}`
	f := finished(t, s.run(t, "first", request))
	if f.Frames != 12 || f.Status != "completed" || f.Output != "s3://helios-test/renders/a.mp4" || f.Dollars <= 0 {
		t.Errorf("finished: %+v", f)
	}
	want := frameMD5(t, renderLocally(t, "3", page))
	first := s.download(t, "renders/a.mp4")
	if got := frameMD5(t, first); len(want) != 12 || !slices.Equal(got, want) {
		t.Errorf("the frames are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	var r cloud.Report
	if err := s.bucket.GetJSON(t.Context(), cloud.Job(f.JobID).Report(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Attempts != 3 || r.Functions["chunk"].Calls != 4 || r.Functions["plan"].Calls != 1 ||
		r.Functions["merge"].Calls != 2 || r.Functions["chunk"].Milliseconds < 100 ||
		r.Puts < 10 || r.Gets < 3 || r.Cost.Total != f.Dollars || r.WallSeconds <= 0 {
		t.Errorf("the report is %+v", r)
	}
	p, err := cloud.ReadProgress(t.Context(), s.bucket, f.JobID, cloud.PricesOf("arm64"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Frames != 12 || p.Done != 3 || p.Failed != 0 {
		t.Errorf("progress at the end: %+v", p)
	}
	if e := s.Events(); len(e) != 1 || e[0].Source != "helios" || e[0].DetailType != "helios.render.completed" ||
		!strings.Contains(e[0].Detail, f.JobID) {
		t.Errorf("the events were %+v", e)
	}

	// A second execution keeps all chunks.
	s.FailS3(func(r *http.Request) bool {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/jobs/") && strings.HasSuffix(r.URL.Path, ".mp4") {
			t.Errorf("%s was written again", r.URL.Path)
		}
		return false
	})
	again := finished(t, s.run(t, "second", request))
	if again.JobID != f.JobID {
		t.Errorf("the job is %s, want %s", again.JobID, f.JobID)
	}
	p, err = cloud.ReadProgress(t.Context(), s.bucket, f.JobID, cloud.PricesOf("arm64"))
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, u := range p.Usage {
		if u.State == cloud.Kept {
			kept++
		}
	}
	if kept != 3 {
		t.Errorf("%d partitions were kept, want 3", kept)
	}
	if a, b := read(t, first), read(t, s.download(t, "renders/a.mp4")); string(a) != string(b) {
		t.Error("the second execution wrote other bytes")
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The state machine retries a partition whose function or Chromium is killed, and a merge that is killed while it
// writes the output.
func TestKilledProcesses(t *testing.T) {
	tokens := t.TempDir()
	s := startStack(t, "HELIOS_CHROMIUM="+crashingChromium(t, tokens))
	s.put(t, "sites/a/index.html", page)
	var kills, deaths, merges atomic.Int64
	s.FailS3(func(r *http.Request) bool {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/renders/a.mp4") && merges.Add(1) == 1 {
			s.lambda.Kill("merge")
		}
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, ".running.f0.") {
			return false
		}
		switch {
		case strings.Contains(r.URL.Path, "/progress/00000.") && kills.Add(1) == 1:
			s.lambda.Kill("chunk")
		case strings.Contains(r.URL.Path, "/progress/00001.") && deaths.Add(1) <= 2:
			if err := os.WriteFile(filepath.Join(tokens, strconv.FormatInt(deaths.Load(), 10)), nil, 0o600); err != nil {
				t.Error(err)
			}
		}
		return false
	})
	f := finished(t, s.run(t, "killed",
		`{"input":"s3://helios-test/sites/a/index.html","output":"renders/a.mp4","concurrency":2}`))
	if got := frameMD5(t, s.download(t, "renders/a.mp4")); len(got) != 12 {
		t.Errorf("the output has %d frames", len(got))
	}
	p, err := cloud.ReadProgress(t.Context(), s.bucket, f.JobID, cloud.PricesOf("arm64"))
	if err != nil {
		t.Fatal(err)
	}
	if merges.Load() != 2 {
		t.Errorf("the output was written %d times, want 2", merges.Load())
	}
	if kills.Load() < 2 || p.Failed == 0 || p.Done != 2 {
		t.Errorf("%d attempts at partition 0, %d failed attempts", kills.Load(), p.Failed)
	}
	for _, u := range p.Usage {
		if u.State != cloud.Failed {
			continue
		}
		var log cloud.Log
		if err := s.bucket.GetJSON(t.Context(), cloud.Job(f.JobID).Progress()+u.Name(), &log); err != nil ||
			log.Error == "" || log.Stream == "" {
			t.Errorf("a failed attempt has the log %+v, %v", log, err)
		}
	}
}

// crashingChromium returns a Chromium that is killed at its start, once for each file in the folder tokens.
func crashingChromium(t *testing.T, tokens string) string {
	t.Helper()
	chromium, err := exec.LookPath("chromium-headless-shell")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "chromium")
	script := "#!/bin/sh\ncase \"$*\" in *--version*) exec " + chromium + " \"$@\";; esac\n" +
		"for f in " + tokens + "/*; do rm \"$f\" 2>/dev/null && kill -9 $$; done\nexec " + chromium + " \"$@\"\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// If a page fails after its start, the error of the execution names the partition. The request is muted, because
// otherwise the inspection searches the whole page for sound, and fails itself.
func TestFailureNamesThePartition(t *testing.T) {
	s := startStack(t)
	s.put(t, "sites/b/index.html", `<!DOCTYPE html><html data-duration="3" data-fps="10" data-width="160" data-height="90">
<script>setTimeout(() => location.href = "/elsewhere.html", 2550)</script></html>`)
	d := s.run(t, "failing", `{"input":"s3://helios-test/sites/b/index.html","concurrency":3,"mute":true}`)
	if d.Status != types.ExecutionStatusFailed || aws.ToString(d.Error) != cloud.UserError ||
		!strings.Contains(aws.ToString(d.Cause), "partition 2 (frames 20 to 29)") ||
		!strings.Contains(aws.ToString(d.Cause), "log: /aws/lambda/chunk") {
		t.Fatalf("the execution ended as %s: %s: %s", d.Status, aws.ToString(d.Error), aws.ToString(d.Cause))
	}
	events := s.Events()
	if len(events) != 1 || events[0].DetailType != "helios.render.failed" {
		t.Fatalf("the events were %+v", events)
	}
	var f cloud.Finished
	if err := json.Unmarshal([]byte(events[0].Detail), &f); err != nil {
		t.Fatal(err)
	}
	if f.Error != cloud.UserError || f.Log == nil || f.Log.Group != "/aws/lambda/chunk" || f.Status != "failed" {
		t.Errorf("the event is %+v", f)
	}
	var failure cloud.Failure
	if err := s.bucket.GetJSON(t.Context(), cloud.Job(f.JobID).Failure("00002"), &failure); err != nil {
		t.Fatal(err)
	}
	if failure.Error != cloud.UserError || failure.Log.Stream == "" {
		t.Errorf("the failure document is %+v", failure)
	}
	// A user error is not retried.
	p, err := cloud.ReadProgress(t.Context(), s.bucket, f.JobID, cloud.PricesOf("arm64"))
	if err != nil {
		t.Fatal(err)
	}
	if q := p.Partitions[2]; q.Attempts != 1 || q.State != cloud.Failed {
		t.Errorf("partition 2: %+v", q)
	}
}

// A missing page and an invalid request fail before the job is planned.
func TestFailureBeforeThePlan(t *testing.T) {
	s := startStack(t)
	d := s.run(t, "early", `{"input":"s3://helios-test/sites/none/index.html"}`)
	if d.Status != types.ExecutionStatusFailed || aws.ToString(d.Error) != cloud.UserError {
		t.Errorf("the execution ended as %s: %s: %s", d.Status, aws.ToString(d.Error), aws.ToString(d.Cause))
	}
	d = s.run(t, "wrong", `{"input":"http://169.254.169.254/latest/meta-data/"}`)
	if d.Status != types.ExecutionStatusFailed || !strings.Contains(aws.ToString(d.Cause), "not on the public internet") {
		t.Errorf("the execution ended as %s: %s: %s", d.Status, aws.ToString(d.Error), aws.ToString(d.Cause))
	}
	if e := s.Events(); len(e) != 2 || e[0].DetailType != "helios.render.failed" {
		t.Errorf("the events were %+v", e)
	}
}

// call invokes a function. errorType is empty if the call succeeds.
func (s *stack) call(t *testing.T, name string, event any) (response, errorType string) {
	t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.lambda.Invoke(context.WithoutCancel(t.Context()), name, payload)
	if err != nil {
		t.Fatal(err)
	}
	if a.Failed {
		return string(a.Payload), a.ErrorType()
	}
	return string(a.Payload), ""
}
