//go:build cloud

package functions

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"helios/shared/cloud"
)

// A partition that fails twice is retried. A partition that always fails ends its execution. A second execution, like
// those of helios cloud redrive, renders only the missing partitions and does not report the old failure. The request
// limits the render to one partition at a time.
func TestRedrive(t *testing.T) {
	s := startStack(t, "AWS_MAX_ATTEMPTS=1")
	s.put(t, "sites/a/index.html", page)
	const request = `{"input": "s3://helios-test/sites/a/", "output": "renders/a.mp4", "concurrency": 3,
		"maxConcurrency": 1, "revision": "first"}`
	var failures, twice, others atomic.Int64
	s.FailS3(func(r *http.Request) bool {
		switch {
		case r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, ".mp4"):
			return false
		case strings.HasSuffix(r.URL.Path, "/a.0001.mp4"):
			failures.Add(1)
			return true
		case strings.HasSuffix(r.URL.Path, "/a.0000.mp4") && twice.Add(1) <= 2:
			return true
		}
		others.Add(1)
		return false
	})
	d := s.run(t, "first", request)
	if d.Status != types.ExecutionStatusFailed || aws.ToString(d.Error) != cloud.TransientError ||
		!strings.Contains(aws.ToString(d.Cause), "partition 1 (frames 4 to 7)") ||
		!strings.Contains(aws.ToString(d.Cause), "SlowDown") {
		t.Fatalf("the execution ended as %s: %s: %s", d.Status, aws.ToString(d.Error), aws.ToString(d.Cause))
	}
	// One call and three retries.
	if failures.Load() != 4 || others.Load() == 0 || s.exists(t, "renders/a.mp4") {
		t.Errorf("%d attempts at partition 1, %d at others", failures.Load(), others.Load())
	}
	if n := s.lambda.MaxConcurrent("chunk"); n != 1 {
		t.Errorf("%d partitions were rendered at once", n)
	}

	report := new(cloud.Report)
	list, err := s.bucket.List(t.Context(), cloud.JobsPrefix)
	if err != nil {
		t.Fatal(err)
	}
	jobID, _, _ := strings.Cut(strings.TrimPrefix(list[0].Key, cloud.JobsPrefix), "/")
	if err := s.bucket.GetJSON(t.Context(), cloud.Job(jobID).Report(), report); err != nil || report.Status != "failed" {
		t.Errorf("the report is %+v, %v", report, err)
	}
	p, err := cloud.ReadProgress(t.Context(), s.bucket, jobID, cloud.PricesOf("arm64"))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := p.Partitions[0], p.Partitions[1]; a.Attempts != 3 || a.State != cloud.Done || b.Attempts != 4 ||
		b.State != cloud.Failed {
		t.Errorf("partition 0: %+v, partition 1: %+v", a, b)
	}

	before := others.Load()
	var again atomic.Int64
	s.FailS3(func(r *http.Request) bool {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/jobs/") && strings.HasSuffix(r.URL.Path, ".mp4") {
			again.Add(1)
		}
		return false
	})
	f := finished(t, s.run(t, "second", request))
	if got := frameMD5(t, s.download(t, "renders/a.mp4")); len(got) != 12 || before+again.Load() != 3 {
		t.Errorf("%d frames; the first execution wrote %d chunks, the second %d", len(got), before, again.Load())
	}
	if f.Status != "completed" || f.Error != "" {
		t.Errorf("finished: %+v", f)
	}

	// A third execution reports its own failure.
	s.InjectS3Fault(nil)
	response, failed := s.call(t, "merge", map[string]any{
		"action": "failed", "request": json.RawMessage(request),
		"execution": map[string]string{"id": "x", "name": "third", "start": "2999-01-01T00:00:00.000Z"},
		"job":       cloud.Planned{JobID: f.JobID, Partitions: 3, Frames: 12},
		"failure":   cloud.StatesError{Error: cloud.InternalError, Cause: "something else"},
	})
	if failed != "" || !strings.Contains(response, "something else") || strings.Contains(response, "partition 1") {
		t.Errorf("the third execution reports %s", response)
	}
}
