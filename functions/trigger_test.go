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

// bus is moto's EventBridge with the rule of the template. moto delivers events to a log group, and the test delivers
// them from there to the function.
type bus struct {
	*stack
	delivered int // events
}

const busLog = "/aws/events/requests"

func connectBus(t *testing.T, s *stack) *bus {
	t.Helper()
	if _, err := s.bucket.Client.PutBucketNotificationConfiguration(t.Context(),
		&s3.PutBucketNotificationConfigurationInput{
			Bucket: aws.String(bucket),
			NotificationConfiguration: &types.NotificationConfiguration{
				EventBridgeConfiguration: &types.EventBridgeConfiguration{},
			},
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

// requestPattern returns the event pattern of the rule in the template.
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

// aws calls an action of moto.
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
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIATEST/20261123/us-east-1/"+service+
		"/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	response, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s returned %s: %s, %v", target, resp.Status, response, err)
	}
	return response
}

// deliver calls the function with each new event. It delivers each event twice, as EventBridge may.
func (b *bus) deliver(t *testing.T) (results []cloud.Triggered) {
	t.Helper()
	var log struct{ Events []struct{ Message string } }
	if err := json.Unmarshal(b.aws(t, "Logs_20140328.FilterLogEvents",
		map[string]any{"logGroupName": busLog, "interleaved": true}), &log); err != nil {
		t.Fatal(err)
	}
	for _, e := range log.Events[b.delivered:] {
		for range 2 {
			response, failed := b.call(t, "plan", json.RawMessage(e.Message))
			if failed != "" {
				t.Fatal(response)
			}
			var result cloud.Triggered
			if err := json.Unmarshal([]byte(response), &result); err != nil {
				t.Fatal(err)
			}
			results = append(results, result)
		}
	}
	b.delivered = len(log.Events)
	return results
}

// executions lists the executions of the state machine.
func (s *stack) executions(t *testing.T) []sfntypes.ExecutionListItem {
	t.Helper()
	list, err := s.states.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: &s.machine})
	if err != nil {
		t.Fatal(err)
	}
	return list.Executions
}

// A document below requests/ starts one execution, although its event is delivered twice. Other objects do not match
// the rule.
func TestRequestEvents(t *testing.T) {
	s := startStack(t)
	b := connectBus(t, s)
	s.put(t, "sites/a/index.html", page)
	s.put(t, "sites/a/data.json", `{}`)
	s.put(t, "requests/notes.txt", `later`)
	s.put(t, "renders/requests/x.json", `{}`)
	if got := b.deliver(t); len(got) != 0 {
		t.Errorf("the rule matched %+v", got)
	}
	s.put(t, "requests/team/good.json", `{"input":"s3://helios-test/sites/a/index.html"}`)
	s.put(t, "requests/team/good.error.json", `{"error":"it was not so good before"}`)
	s.put(t, "requests/bad.json", `{"input":"s3://helios-test/sites/a/index.html","fps":"fast"}`)
	got := b.deliver(t)
	list := s.executions(t)
	if len(got) != 6 || len(list) != 1 {
		t.Fatalf("%d executions started, by %+v", len(list), got)
	}
	if f := finished(t, wait(t, s.states, *list[0].ExecutionArn)); f.Output != "s3://helios-test/renders/good.mp4" {
		t.Errorf("the output is %s", f.Output)
	}
	if frames := frameMD5(t, s.download(t, "renders/good.mp4")); len(frames) != 12 {
		t.Errorf("it has %d frames", len(frames))
	}
	// Deliver all events again after the execution has ended. bad.error.json has caused an event, too.
	b.delivered = 0
	b.deliver(t)
	if n := len(s.executions(t)); n != 1 {
		t.Errorf("%d executions, want 1", n)
	}
	for key, want := range map[string]bool{
		"requests/bad.error.json": true, "requests/team/good.error.json": false, "requests/bad.error.error.json": false,
	} {
		if _, err := s.bucket.Get(t.Context(), key); (err == nil) != want {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// If a render fails, the error is written beside its document.
func TestRequestError(t *testing.T) {
	s := startStack(t)
	b := connectBus(t, s)
	s.put(t, "sites/b/index.html", failingPage)
	s.put(t, "requests/late.json", `{"input":"s3://helios-test/sites/b/index.html","concurrency":3,"mute":true}`)
	b.deliver(t)
	list := s.executions(t)
	if len(list) != 1 {
		t.Fatalf("%d executions started, want 1", len(list))
	}
	d := wait(t, s.states, *list[0].ExecutionArn)
	if d.Status != sfntypes.ExecutionStatusFailed {
		t.Fatalf("the execution ended as %s", d.Status)
	}
	var r cloud.RequestError
	if err := s.bucket.GetJSON(t.Context(), "requests/late.error.json", &r); err != nil {
		t.Fatal(err)
	}
	if r.Request != "requests/late.json" || r.Type != cloud.UserError ||
		!strings.Contains(r.Error, "partition 2 (frames 20 to 29)") ||
		r.Execution != *list[0].ExecutionArn || r.Log == nil || r.Log.Stream == "" {
		t.Errorf("the request error is %+v", r)
	}
	if r.Error != aws.ToString(d.Cause) {
		t.Errorf("the cause of the execution is %s", aws.ToString(d.Cause))
	}
	if events := s.Events(); len(events) != 1 || checkEvent(t, []byte(events[0].Detail)) != nil {
		t.Errorf("the events were %+v", events)
	}
	b.deliver(t)
	if n := len(s.executions(t)); n != 1 {
		t.Errorf("a request error started an execution")
	}
}

// failingPage navigates away after 2.55 s.
const failingPage = `<!DOCTYPE html><html data-duration="3" data-fps="10" data-width="160" data-height="90">
<script>setTimeout(() => location.href = "/elsewhere.html", 2550)</script></html>`
