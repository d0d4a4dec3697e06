//go:build cloud

package functions

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"gopkg.in/yaml.v3"

	"helios/shared/cloud"
)

// bus is moto's EventBridge with the template's rule. moto delivers to a log, and the test from there to the
// function.
type bus struct {
	*stack
	read int // events that were
}

const busLog = "/aws/events/requests"

func connect(t *testing.T, s *stack) *bus {
	t.Helper()
	if _, err := s.bucket.Client.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{
		Bucket: aws.String(bucket), NotificationConfiguration: &types.NotificationConfiguration{EventBridgeConfiguration: &types.EventBridgeConfiguration{}},
	}); err != nil {
		t.Fatal(err)
	}
	b := &bus{stack: s}
	b.aws(t, "Logs_20140328.CreateLogGroup", map[string]any{"logGroupName": busLog})
	b.aws(t, "AWSEvents.PutRule", map[string]any{"Name": "requests", "EventPattern": requestPattern(t)})
	b.aws(t, "AWSEvents.PutTargets", map[string]any{"Rule": "requests", "Targets": []map[string]string{
		{"Id": "plan", "Arn": "arn:aws:logs:us-east-1:123456789012:log-group:" + busLog},
	}})
	return b
}

// requestPattern is that of the rule in the template.
func requestPattern(t *testing.T) string {
	t.Helper()
	text, _ := readTemplate(t)
	var template struct {
		Resources struct {
			RequestRule struct {
				Properties struct {
					EventPattern map[string]any `yaml:"EventPattern"`
				} `yaml:"Properties"`
			} `yaml:"RequestRule"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(text, "!Ref Bucket", bucket)), &template); err != nil {
		t.Fatal(err)
	}
	pattern, err := json.Marshal(template.Resources.RequestRule.Properties.EventPattern)
	if err != nil || !strings.Contains(string(pattern), bucket) {
		t.Fatalf("the pattern is %s: %v", pattern, err)
	}
	return string(pattern)
}

// aws calls a service of moto.
func (s *stack) aws(t *testing.T, target string, body any) []byte {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	service, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(target), "aws"), ".")
	service, _, _ = strings.Cut(service, "_")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIATEST/20261123/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s was answered %s: %s, %v", target, resp.Status, answer, err)
	}
	return answer
}

// deliver calls the function with what happened since the last time, each twice, as EventBridge may.
func (b *bus) deliver(t *testing.T) (became []cloud.Triggered) {
	t.Helper()
	var log struct{ Events []struct{ Message string } }
	if err := json.Unmarshal(b.aws(t, "Logs_20140328.FilterLogEvents", map[string]any{"logGroupName": busLog, "interleaved": true}), &log); err != nil {
		t.Fatal(err)
	}
	for _, e := range log.Events[b.read:] {
		for range 2 {
			answer, failed := b.call(t, "plan", json.RawMessage(e.Message))
			if failed != "" {
				t.Fatal(answer)
			}
			var one cloud.Triggered
			if err := json.Unmarshal([]byte(answer), &one); err != nil {
				t.Fatal(err)
			}
			became = append(became, one)
		}
	}
	b.read = len(log.Events)
	return became
}

// executions returns those of the machine.
func (s *stack) executions(t *testing.T) []sfntypes.ExecutionListItem {
	t.Helper()
	list, err := s.states.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: &s.machine})
	if err != nil {
		t.Fatal(err)
	}
	return list.Executions
}

// What is put below requests/ reaches the function by S3's event and the template's rule, more than once, and
// one execution comes of it; nothing else that is put into the bucket does.
func TestRequestsReachTheFunction(t *testing.T) {
	s := start(t)
	b := connect(t, s)
	s.put(t, "sites/a/index.html", page)
	s.put(t, "sites/a/data.json", `{}`)
	s.put(t, "requests/notes.txt", `later`)
	s.put(t, "renders/requests/x.json", `{}`)
	if got := b.deliver(t); len(got) != 0 {
		t.Errorf("the function was told of %+v", got)
	}
	s.put(t, "requests/team/good.json", `{"input":"s3://helios-test/sites/a/index.html"}`)
	s.put(t, "requests/team/good.error.json", `{"error":"it was not so good before"}`)
	s.put(t, "requests/bad.json", `{"input":"s3://helios-test/sites/a/index.html","fps":"fast"}`)
	got := b.deliver(t)
	list := s.executions(t)
	if len(got) != 6 || len(list) != 1 {
		t.Fatalf("%d executions began, by %+v", len(list), got)
	}
	if f := finished(t, wait(t, s.states, *list[0].ExecutionArn)); f.Output != "s3://helios-test/renders/good.mp4" {
		t.Errorf("the output is %s", f.Output)
	}
	if frames := frameMD5(t, s.download(t, "renders/good.mp4")); len(frames) != 12 {
		t.Errorf("it has %d frames", len(frames))
	}
	// Once more, when the execution has ended; bad.error.json was an event as well.
	b.read = 0
	b.deliver(t)
	if n := len(s.executions(t)); n != 1 {
		t.Errorf("there are %d executions", n)
	}
	for key, want := range map[string]bool{"requests/bad.error.json": true, "requests/team/good.error.json": false, "requests/bad.error.error.json": false} {
		if _, err := s.bucket.Get(t.Context(), key); (err == nil) != want {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// A render that fails leaves the reason beside the document that asked for it.
func TestRequestsWhoseRenderFails(t *testing.T) {
	s := start(t)
	b := connect(t, s)
	s.put(t, "sites/b/index.html", failing)
	s.put(t, "requests/late.json", `{"input":"s3://helios-test/sites/b/index.html","concurrency":3,"mute":true}`)
	b.deliver(t)
	list := s.executions(t)
	if len(list) != 1 {
		t.Fatalf("%d executions began", len(list))
	}
	d := wait(t, s.states, *list[0].ExecutionArn)
	if d.Status != sfntypes.ExecutionStatusFailed {
		t.Fatalf("it ended as %s", d.Status)
	}
	var r cloud.RequestError
	if err := s.bucket.GetJSON(t.Context(), "requests/late.error.json", &r); err != nil {
		t.Fatal(err)
	}
	if r.Request != "requests/late.json" || r.Type != cloud.UserError || !strings.Contains(r.Error, "partition 2 (frames 20 to 29)") ||
		r.Execution != *list[0].ExecutionArn || r.Log == nil || r.Log.Stream == "" {
		t.Errorf("it says %+v", r)
	}
	if r.Error != aws.ToString(d.Cause) {
		t.Errorf("the execution says %s", aws.ToString(d.Cause))
	}
	if events := s.Events(); len(events) != 1 || checkEvent(t, []byte(events[0].Detail)) != nil {
		t.Errorf("the events were %+v", events)
	}
	b.deliver(t)
	if n := len(s.executions(t)); n != 1 {
		t.Errorf("the answer to a request began an execution")
	}
}

// failing is a page whose third second does not come.
const failing = `<!DOCTYPE html><html data-duration="3" data-fps="10" data-width="160" data-height="90">
<script>setTimeout(() => location.href = "/elsewhere.html", 2550)</script></html>`
