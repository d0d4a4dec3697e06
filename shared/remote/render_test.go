package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"helios/shared/cloud"
	"helios/shared/cloud/awstest"
	"helios/shared/fault"
)

const testBucket = "helios-test"

// startAWS starts moto and creates a bucket.
func startAWS(t *testing.T) *awstest.Endpoint {
	t.Helper()
	f := awstest.StartMoto(t, awstest.NewLambda(t))
	f.Setenv(t)
	client := s3.NewFromConfig(f.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(testBucket)}); err != nil {
		t.Fatal(err)
	}
	return f
}

// machine creates a state machine that plans a job, waits, and ends with the state end.
func machine(t *testing.T, f *awstest.Endpoint, wait int, end map[string]any) string {
	t.Helper()
	return machineIn(t, f, "us-east-1", wait, end)
}

func machineIn(t *testing.T, f *awstest.Endpoint, region string, wait int, end map[string]any) string {
	t.Helper()
	planned := cloud.Planned{JobID: "job-1", PartitionsKey: "jobs/job-1/partitions.json", Partitions: 3, Frames: 90,
		MaxConcurrency: 2, Output: "renders/out.mp4"}
	definition, err := json.Marshal(map[string]any{
		"StartAt": "Plan",
		"States": map[string]any{
			"Plan": map[string]any{"Type": "Pass", "Result": map[string]any{"Payload": planned}, "ResultPath": "$.plan",
				"Next": "Work"},
			"Work": map[string]any{"Type": "Wait", "Seconds": wait, "Next": "End"},
			"End":  end,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f.CreateStateMachine(t, region, "helios", string(definition))
}

// succeed returns a state with the output of the merge function.
func succeed() map[string]any {
	return map[string]any{"Type": "Pass", "End": true, "Result": cloud.Finished{
		Version: 1, Status: "completed", JobID: "job-1", Output: "s3://" + testBucket + "/renders/out.mp4", Frames: 90,
		WallSeconds: 12.5, Dollars: 0.01,
		Report: "s3://" + testBucket + "/jobs/job-1/report.json",
	}}
}

func fail(code, cause string) map[string]any {
	return map[string]any{"Type": "Fail", "Error": code, "Cause": cause}
}

// putProgress writes the progress object of an attempt.
func putProgress(t *testing.T, s *Stack, u cloud.Usage, log cloud.Log) {
	t.Helper()
	if err := s.Bucket.PutJSON(t.Context(), cloud.Job("job-1").Progress()+u.Name(), log); err != nil {
		t.Fatal(err)
	}
}

func request() *cloud.Request {
	r := new(cloud.Request)
	r.Input = "https://example.com/page.html"
	return r
}

func TestFollow(t *testing.T) {
	f := startAWS(t)
	s := openStack(t, testBucket, machine(t, f, 1, succeed()))
	putProgress(t, s, cloud.Usage{Unit: "00000", Attempt: "a", State: cloud.Done, Frames: 30, Milliseconds: 5000,
		MemoryMB: 4096}, cloud.Log{})
	if err := s.Start(t.Context(), "intro-1", request()); err != nil {
		t.Fatal(err)
	}
	var frames []int64
	r, err := s.Follow(t.Context(), "intro-1", 50*time.Millisecond, func(r *Render) {
		if r.Progress == nil {
			return
		}
		frames = append(frames, r.Progress.Frames)
		switch len(frames) {
		case 1:
			putProgress(t, s, cloud.Usage{Unit: "00001", Attempt: "a", State: cloud.Running, Frames: 12, Milliseconds: 3000,
				MemoryMB: 4096}, cloud.Log{})
		case 2: // simulate an outdated listing
			key := cloud.Job("job-1").Progress() + "00001.a.running.f12.t3000.m4096.u0.p0.g0"
			if err := s.Bucket.Delete(t.Context(), key); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(frames) < 3 || frames[0] != 30 || frames[1] != 42 || !slices.IsSorted(frames) {
		t.Errorf("the frames are %d", frames)
	}
	if r.Status != Succeeded || r.Err() != nil || r.Job.Frames != 90 ||
		r.Finished.Output != "s3://helios-test/renders/out.mp4" || r.Request.Input != "https://example.com/page.html" {
		t.Errorf("the render is %+v", r)
	}
	list, err := s.List(t.Context(), 5)
	if err != nil || len(list) != 1 || list[0].ID != "intro-1" || list[0].Status != Succeeded {
		t.Errorf("the list is %+v: %v", list, err)
	}
	if err := s.Cancel(t.Context(), "intro-1"); fault.Of(err) != fault.User ||
		!strings.Contains(err.Error(), "is not running: its status is \"succeeded\"") {
		t.Errorf("cancelling it: %v", err)
	}
	if err := s.Redrive(t.Context(), "intro-1", "intro-2"); fault.Of(err) != fault.User ||
		!strings.Contains(err.Error(), "nothing to redrive") {
		t.Errorf("redriving it: %v", err)
	}
}

func TestFetch(t *testing.T) {
	f := startAWS(t)
	s := openStack(t, testBucket, machine(t, f, 0, succeed()))
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<20+1) // larger than one range request
	if err := s.Bucket.Put(t.Context(), "renders/out.mp4", want); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "out.mp4")
	for _, overwrite := range []bool{false, true} {
		if err := s.Fetch(t.Context(), "s3://helios-test/renders/out.mp4", file, overwrite); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("the %d bytes differ from those of the object: %v", len(got), err)
		}
	}
	if err := s.Fetch(t.Context(), "s3://helios-test/renders/out.mp4", file, false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an existing file: %v", err)
	}
	none := filepath.Join(t.TempDir(), "none.mp4")
	if err := s.Fetch(t.Context(), "s3://helios-test/renders/none.mp4", none, false); fault.Of(err) != fault.User {
		t.Errorf("a missing object: %v", err)
	}
	if _, err := os.Stat(none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was created: %v", err)
	}
}

func TestRedrive(t *testing.T) {
	f := startAWS(t)
	const why = "partition 1 (frames 30 to 59): missing image a.png " +
		"(log: /aws/lambda/chunk, stream 2026/[1]ab, request r-1)"
	s := openStack(t, testBucket, machine(t, f, 0, fail(cloud.UserError, why)))
	if err := s.Start(t.Context(), "intro-1", request()); err != nil {
		t.Fatal(err)
	}
	r, err := s.Follow(t.Context(), "intro-1", 20*time.Millisecond, func(*Render) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); r.Status != Failed || fault.Of(err) != fault.User || !strings.Contains(err.Error(), why) {
		t.Errorf("it ended as %s: %v", r.Status, err)
	}
	want := cloud.Log{Group: "/aws/lambda/chunk", Stream: "2026/[1]ab", RequestID: "r-1"}
	if log, ok := r.FailureLog(); !ok || log != want {
		t.Errorf("its log is %+v", log)
	}

	// moto runs only one execution per region.
	again := openStack(t, testBucket, machineIn(t, f, "eu-west-1", 0, succeed()))
	both := *s
	both.StateMachine, both.StepFunctions = again.StateMachine, startElsewhere{s.StepFunctions, again.StepFunctions}
	if err := both.Redrive(t.Context(), s.executionARN("intro-1"), "intro-2"); err != nil {
		t.Fatal(err)
	}
	r, err = again.Follow(t.Context(), "intro-2", 20*time.Millisecond, func(*Render) {})
	if err != nil || r.Status != Succeeded {
		t.Fatalf("the second render is %+v: %v", r, err)
	}
	// The second render is the same job and has the same output.
	if r.Request.Revision != "intro-1" || r.Request.Output != "renders/intro-1.mp4" ||
		r.Request.Input != "https://example.com/page.html" {
		t.Errorf("the request is %+v", r.Request)
	}
}

// startElsewhere starts executions with another client.
type startElsewhere struct {
	StepFunctions
	start StepFunctions
}

func (s startElsewhere) StartExecution(
	ctx context.Context, in *sfn.StartExecutionInput, o ...func(*sfn.Options),
) (*sfn.StartExecutionOutput, error) {
	return s.start.StartExecution(ctx, in, o...)
}

func TestCancel(t *testing.T) {
	f := startAWS(t)
	s := openStack(t, testBucket, machine(t, f, 600, succeed()))
	if err := s.Start(t.Context(), "intro-1", request()); err != nil {
		t.Fatal(err)
	}
	if err := s.Redrive(t.Context(), "intro-1", "intro-2"); fault.Of(err) != fault.User ||
		!strings.Contains(err.Error(), "still running") {
		t.Errorf("redriving a running render: %v", err)
	}
	var once sync.Once
	r, err := s.Follow(t.Context(), "intro-1", 20*time.Millisecond, func(*Render) {
		once.Do(func() {
			if err := s.Cancel(t.Context(), "intro-1"); err != nil {
				t.Error(err)
			}
		})
	})
	if err != nil || r.Status != Cancelled || fault.Of(r.Err()) != fault.User {
		t.Errorf("it ended as %+v: %v", r, err)
	}
}

func TestReadLog(t *testing.T) {
	f := startAWS(t)
	s := openStack(t, testBucket, machine(t, f, 0, succeed()))
	client := cloudwatchlogs.NewFromConfig(f.Config())
	group, stream := "/aws/lambda/chunk", "2026/11/23/[$LATEST]abc"
	createGroup := &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group}
	if _, err := client.CreateLogGroup(t.Context(), createGroup); err != nil {
		t.Fatal(err)
	}
	createStream := &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &stream}
	if _, err := client.CreateLogStream(t.Context(), createStream); err != nil {
		t.Fatal(err)
	}
	var want []string
	var events []logtypes.InputLogEvent
	now := time.Now().UnixMilli()
	for call := range 3 {
		id := fmt.Sprintf("request-%d", call)
		lines := []string{"START RequestId: " + id, "a line without a request id"}
		for i := range 10 {
			lines = append(lines, fmt.Sprintf("frame %d of %d", i, call))
		}
		lines = append(lines, "REPORT RequestId: "+id+"\n")
		if call == 1 {
			want = lines
		}
		for _, l := range lines {
			at := aws.Int64(now + int64(len(events)))
			events = append(events, logtypes.InputLogEvent{Message: aws.String(l), Timestamp: at})
		}
	}
	events = append(events,
		logtypes.InputLogEvent{Message: aws.String("START RequestId: request-3"), Timestamp: aws.Int64(now + 100)},
		logtypes.InputLogEvent{Message: aws.String("still running"), Timestamp: aws.Int64(now + 101)})
	if _, err := client.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{
		LogGroupName: &group, LogStreamName: &stream, LogEvents: events,
	}); err != nil {
		t.Fatal(err)
	}
	want[len(want)-1] = "REPORT RequestId: request-1"
	for _, test := range []struct {
		id      string
		running bool
		want    []string
	}{
		{"request-1", false, want},
		{"request-3", true, []string{"START RequestId: request-3", "still running"}},
		{"request-9", false, nil},
	} {
		lines, err := s.ReadLog(t.Context(), cloud.Log{Group: group, Stream: stream, RequestID: test.id}, test.running)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range lines {
			got = append(got, l.Text)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("the log of %s is %q, want %q", test.id, got, test.want)
		}
	}
	if _, err := s.ReadLog(t.Context(), cloud.Log{Group: group, Stream: "none", RequestID: "r"},
		false); fault.Of(err) != fault.User {
		t.Errorf("a missing log stream: %v", err)
	}
}

func TestErrorRemedies(t *testing.T) {
	f := startAWS(t)
	opens := func(bucket, machine string, words ...string) {
		t.Helper()
		_, err := Open(t.Context(), bucket, machine)
		wantUserError(t, err, words...)
	}
	opens("", anyMachine, "--bucket", "HELIOS_BUCKET", "output Bucket")
	opens(testBucket, "", "--state-machine", "HELIOS_STATE_MACHINE", "output StateMachine")
	opens(testBucket, "helios", `"helios" is not the ARN`, "output StateMachine")

	s := openStack(t, testBucket, anyMachine)
	wantUserError(t, s.Start(t.Context(), "intro-1", request()), "no state machine "+anyMachine)
	_, err := s.List(t.Context(), 1)
	wantUserError(t, err, "no state machine")
	s.StateMachine = machine(t, f, 0, succeed())
	for _, id := range []string{
		"none", "arn:aws:states:us-east-1:123456789012:execution:helios:none", "not a name/at:all",
	} {
		_, err = s.Status(t.Context(), id, nil)
		wantUserError(t, err, "no render "+id, "helios cloud list")
		wantUserError(t, s.Cancel(t.Context(), id), "no render "+id)
		wantUserError(t, s.Redrive(t.Context(), id, "next"), "no render "+id)
	}

	t.Run("no credentials", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		opens(testBucket, anyMachine, "no credentials", "AWS_PROFILE")
	})
	t.Run("AWS unreachable", func(t *testing.T) {
		t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
		t.Setenv("AWS_MAX_ATTEMPTS", "1")
		_, err := openStack(t, testBucket, anyMachine).Describe(t.Context(), "intro-1")
		if fault.Of(err) != fault.Transient {
			t.Errorf("the error is %v (%s)", err, fault.Of(err))
		}
	})
}

func wantUserError(t *testing.T, err error, words ...string) {
	t.Helper()
	if fault.Of(err) != fault.User {
		t.Errorf("the error %v has the kind %s", err, fault.Of(err))
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in %q", word, err)
		}
	}
}
