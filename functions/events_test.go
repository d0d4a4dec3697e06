//go:build cloud

package functions

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"helios/shared/cloud"
)

// A document below requests/ starts one render, even if S3 delivers its event twice. For an invalid document, the
// error is written beside it.
func TestTrigger(t *testing.T) {
	s := startStack(t)
	s.put(t, "sites/a/index.html", page)
	s.put(t, "requests/good.json", `{"input":"s3://helios-test/sites/a/index.html"}`)
	s.put(t, "requests/bad.json", `{"input":"s3://helios-test/sites/a/index.html","fps":"fast"}`)
	event := func(key string) map[string]any {
		return map[string]any{"detail-type": "Object Created", "detail": map[string]any{
			"bucket": map[string]any{"name": bucket}, "object": map[string]any{"key": key, "etag": "e", "sequencer": "1"},
		}}
	}
	var first, second cloud.Triggered
	for _, into := range []*cloud.Triggered{&first, &second} {
		response, failed := s.call(t, "plan", event("requests/good.json"))
		if failed != "" {
			t.Fatal(response)
		}
		if err := json.Unmarshal([]byte(response), into); err != nil {
			t.Fatal(err)
		}
	}
	if first.Execution == "" || first != second {
		t.Errorf("the two deliveries returned %+v and %+v", first, second)
	}
	list, err := s.states.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: &s.machine})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Executions) != 1 || aws.ToString(list.Executions[0].Name) != first.Execution {
		t.Fatalf("there are %d executions", len(list.Executions))
	}
	f := finished(t, wait(t, s.states, *list.Executions[0].ExecutionArn))
	if f.Output != "s3://helios-test/renders/good.mp4" {
		t.Errorf("the output is %s", f.Output)
	}
	if got := frameMD5(t, s.download(t, "renders/good.mp4")); len(got) != 12 {
		t.Errorf("it has %d frames", len(got))
	}

	if response, failed := s.call(t, "plan", event("requests/bad.json")); failed != "" {
		t.Fatal(response)
	}
	var reason struct{ Error, Field string }
	if err := s.bucket.GetJSON(t.Context(), "requests/bad.error.json", &reason); err != nil || reason.Field != "fps" ||
		!strings.Contains(reason.Error, "fast") {
		t.Errorf("the request error is %+v, %v", reason, err)
	}
	for _, key := range []string{"requests/bad.error.json", "renders/good.mp4", "requests/gone.json"} {
		if response, failed := s.call(t, "plan", event(key)); failed != "" || strings.Contains(response, "execution") ||
			strings.Contains(response, "error\"") {
			t.Errorf("%s: %s", key, response)
		}
	}
}

// plan inspects and plans a job without the state machine.
func (s *stack) plan(t *testing.T, request string) cloud.Planned {
	t.Helper()
	inspection, failed := s.call(t, "chunk", map[string]any{"action": "inspect", "request": json.RawMessage(request)})
	if failed != "" {
		t.Fatal(inspection)
	}
	response, failed := s.call(t, "plan", map[string]any{
		"action": "plan", "request": json.RawMessage(request), "inspection": json.RawMessage(inspection),
		"execution": map[string]string{"name": "x"},
	})
	if failed != "" {
		t.Fatal(response)
	}
	var p cloud.Planned
	if err := json.Unmarshal([]byte(response), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// A partition that is too large for the timeout fails before the timeout, and the error contains the speed.
func TestTimeout(t *testing.T) {
	s := startStack(t)
	s.put(t, "sites/a/index.html", strings.Replace(page, `data-duration="1.2"`, `data-duration="9000"`, 1))
	p := s.plan(t, `{"input":"s3://helios-test/sites/a/index.html"}`)
	s.lambda.SetTimeout("chunk", 8*time.Second)
	start := time.Now()
	response, failed := s.call(t, "chunk", cloud.RenderEvent{
		Action: "render", JobID: p.JobID, Partition: cloud.PartitionItem{FrameCount: 90_000, OutputFile: "x.0000.mp4"},
	})
	if failed != cloud.TimeoutError || !strings.Contains(response, "of 90000 frames done") ||
		!strings.Contains(response, "ms each") {
		t.Errorf("%s: %s", failed, response)
	}
	if took := time.Since(start); took >= 8*time.Second {
		t.Errorf("it took %s, want less than the timeout", took)
	}
}

// No child process of the chunk function has credentials or the address of the Runtime API in its environment.
func TestPagesHaveNoCredentials(t *testing.T) {
	s := startStack(t)
	s.put(t, "sites/a/index.html", strings.Replace(page, `data-duration="1.2"`, `data-duration="150"`, 1))
	p := s.plan(t, `{"input":"s3://helios-test/sites/a/index.html","concurrency":1}`)
	var once sync.Once
	seen := 0
	s.FailS3(func(r *http.Request) bool {
		// At the second progress report, Chromium and ffmpeg are running.
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, ".running.") || strings.Contains(r.URL.Path, ".f0.") {
			return false
		}
		once.Do(func() {
			for _, e := range s.lambda.Environments("chunk") {
				for _, child := range descendants(t, e.PID) {
					environ, err := os.ReadFile("/proc/" + strconv.Itoa(child) + "/environ")
					if errors.Is(err, os.ErrNotExist) {
						continue
					}
					seen++
					for variable := range strings.SplitSeq(string(environ), "\x00") {
						if strings.HasPrefix(variable, "AWS_") || strings.HasPrefix(variable, "HELIOS_") {
							t.Errorf("a process has the variable %s", variable)
						}
					}
				}
			}
		})
		return false
	})
	if response, failed := s.call(t, "chunk", cloud.RenderEvent{
		Action: "render", JobID: p.JobID, Partition: cloud.PartitionItem{FrameCount: 1500, OutputFile: "x.0000.mp4"},
	}); failed != "" {
		t.Fatal(response)
	}
	if seen < 3 {
		t.Errorf("found only %d processes", seen)
	}
}

// descendants returns the ids of all descendants of a process.
func descendants(t *testing.T, pid int) (list []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		t.Error(err)
	}
	for _, file := range files {
		data, _ := os.ReadFile(file)
		for f := range strings.FieldsSeq(string(data)) {
			child, err := strconv.Atoi(f)
			if err != nil {
				t.Error(err)
				continue
			}
			list = append(append(list, child), descendants(t, child)...)
		}
	}
	return list
}

// Invalid events are user errors.
func TestInvalidEvents(t *testing.T) {
	s := startStack(t)
	for _, test := range []struct{ function, event, want string }{
		{"chunk", `{"action":"merge"}`, cloud.UserError},
		{"merge", `{"action":"merge","jobId":"none"}`, cloud.InternalError},
		{"plan", `{"action":"plan","request":{"input":"nowhere"}}`, cloud.UserError},
		{"chunk", `{"action":"render","jobId":7}`, cloud.UserError},
	} {
		if response, failed := s.call(t, test.function, json.RawMessage(test.event)); failed != test.want {
			t.Errorf("%s returned %s: %s", test.event, failed, response)
		}
	}
}
