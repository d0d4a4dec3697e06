package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"helios/shared/cloud"
	"helios/shared/cloud/awstest"
	"helios/shared/remote"
	"helios/shared/store/s3test"
)

// stack is moto for executions and an S3 server. The environment of the test selects them.
type stack struct {
	*awstest.Endpoint
	bucket string
	dir    string
}

func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{Endpoint: awstest.StartMoto(t, awstest.NewLambda(t)), dir: t.TempDir()}
	s.Setenv(t)
	server := s3test.Start(t)
	s.bucket = server.Bucket(t)
	// The keys of the S3 server are used for both: moto accepts any.
	server.Setenv(t)
	t.Setenv("AWS_ENDPOINT_URL", s.URL)
	t.Setenv("AWS_ENDPOINT_URL_S3", server.Endpoint)
	t.Setenv("HELIOS_BUCKET", s.bucket)
	t.Setenv("HELIOS_CACHE", t.TempDir())
	return s
}

// createStateMachine creates a state machine that plans a job, waits and succeeds without rendering.
func (s *stack) createStateMachine(t *testing.T, wait int, output string) {
	t.Helper()
	definition, err := json.Marshal(map[string]any{"StartAt": "Plan", "States": map[string]any{
		"Plan": map[string]any{"Type": "Pass", "ResultPath": "$.plan", "Next": "Work", "Result": map[string]any{
			"Payload": cloud.Planned{JobID: "job-1", Partitions: 3, Frames: 90, Output: output}}},
		"Work": map[string]any{"Type": "Wait", "Seconds": wait, "Next": "End"},
		"End": map[string]any{"Type": "Pass", "End": true, "Result": cloud.Finished{
			JobID: "job-1", Output: "s3://" + s.bucket + "/" + output, Frames: 90, WallSeconds: 12.5, Dollars: 0.0123,
			Report: "s3://" + s.bucket + "/jobs/job-1/report.json",
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HELIOS_STATE_MACHINE", s.CreateStateMachine(t, "us-east-1", "helios", string(definition)))
}

// helios runs the command.
func (s *stack) helios(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err strings.Builder
	cmd := exec.CommandContext(t.Context(), "helios", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &out, &err
	if e := cmd.Run(); e != nil && cmd.ProcessState == nil {
		t.Fatal(e)
	}
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

// ok runs a command, requires success and returns its standard output.
func (s *stack) ok(t *testing.T, args ...string) string {
	t.Helper()
	out, errors, code := s.helios(t, args...)
	if code != 0 {
		t.Fatalf("helios %q exited with %d:\n%s", args, code, errors)
	}
	return out
}

// fails runs a command and requires a user error that contains word.
func (s *stack) fails(t *testing.T, word string, args ...string) {
	t.Helper()
	_, errors, code := s.helios(t, args...)
	if code != 2 || !strings.Contains(errors, word) {
		t.Errorf("helios %q exited with %d, want 2 and %q:\n%s", args, code, word, errors)
	}
}

func (s *stack) write(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestCloudCommands(t *testing.T) {
	s := newStack(t)
	s.createStateMachine(t, 3, "renders/out.mp4")
	r, err := remote.Open(t.Context(), s.bucket, os.Getenv("HELIOS_STATE_MACHINE"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for key, text := range map[string]string{
		"renders/out.mp4": "the video",
		"jobs/job-1/progress/00000.a.done.f30.t5000.m4096.u900.p3.g20": `{
			"group": "/aws/lambda/chunk", "stream": "s", "requestId": "r-0"
		}`,
		"jobs/job-1/progress/00001.a.failed.f12.t3000.m4096.u900.p3.g20": `{
			"group": "/aws/lambda/chunk", "stream": "s", "requestId": "r-1", "error": "it broke"
		}`,
	} {
		if err := r.Bucket.Put(t.Context(), key, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	s.write(t, "my intro/index.html", `<html data-duration="3">`)
	s.write(t, "my intro/a.css", `body {}`)

	s.fails(t, "usage: helios cloud render INPUT", "cloud", "render")
	s.fails(t, "--fps: frame rate 0", "cloud", "render", "my intro", "--fps", "0")
	s.fails(t, "--webhook", "cloud", "render", "my intro", "--webhook", "http://example.com")
	s.fails(t, "not in the stack's bucket", "cloud", "render", "my intro", "-o", "s3://other/a.mp4")
	s.fails(t, "contains only sound", "cloud", "render", "my intro", "-o", "a.mp3")
	s.fails(t, "use a .zip file", "cloud", "render", "my intro", "-o", "frames/")

	out, messages, code := s.helios(t, "cloud", "render", "my intro", "-o", "my intro/out.mp4", "--quality", "20")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, messages)
	}
	for _, word := range []string{
		"uploaded 2 of 2 files", "my-intro-2", "started", "frame 42 of 90, 1 of 3 partitions", "$0.0123",
	} {
		if !strings.Contains(messages, word) {
			t.Errorf("%q is missing:\n%s", word, messages)
		}
	}
	if data, err := os.ReadFile(filepath.Join(s.dir, "my intro", "out.mp4")); string(data) != "the video" ||
		out != "my intro/out.mp4\n" {
		t.Errorf("the output is %q in %q: %v", data, out, err)
	}
	list, err := r.List(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	id := list[0].ID
	seen, err := r.Status(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if q := seen.Request; q.Output != "renders/"+id+".mp4" || *q.Quality != 20 ||
		!strings.HasPrefix(q.Input, "s3://"+s.bucket+"/sites/") || q.Concurrency != 0 {
		t.Errorf("the request is %+v", q)
	}

	if out := s.ok(t, "cloud", "list"); !strings.HasPrefix(out, id+"  succeeded  ") {
		t.Errorf("the list is %q", out)
	}
	status := s.ok(t, "cloud", "status", id)
	for _, word := range []string{"succeeded", "42 of 90", "1 of 3 done, 0 running, 1 failed attempts", "--partition 1"} {
		if !strings.Contains(status, word) {
			t.Errorf("%q is not in\n%s", word, status)
		}
	}
	var asJSON remote.Render
	if err := json.Unmarshal([]byte(s.ok(t, "cloud", "status", id, "--json")), &asJSON); err != nil ||
		asJSON.Progress.Partitions[0].Frames != 30 {
		t.Errorf("as JSON it is %+v: %v", asJSON, err)
	}
	s.fails(t, "exists; use --overwrite", "cloud", "fetch", id, "-o", "my intro/out.mp4")
	if out := s.ok(t, "cloud", "fetch", id); out != "out.mp4\n" {
		t.Errorf("fetched to %q", out)
	}
	logs, messages, _ := s.helios(t, "cloud", "logs", id)
	if !strings.Contains(logs, "== 00001, attempt a: failed after 12 frames") || !strings.Contains(logs, "it broke") ||
		!strings.Contains(logs, "request r-1") || strings.Contains(logs, "r-0") ||
		!strings.Contains(messages, "the log /aws/lambda/chunk has no stream s") {
		t.Errorf("the logs are %s%s", logs, messages)
	}
	s.fails(t, "partition 2 of "+id+" was not started", "cloud", "logs", id, "--partition", "2")
	s.fails(t, "has no partition 3; use 0 to 2", "cloud", "logs", id, "--partition", "3")
	s.fails(t, "is not running", "cloud", "cancel", id)
	s.fails(t, "there is no render nothing", "cloud", "status", "nothing")
	s.fails(t, "--state-machine", "cloud", "list", "--state-machine", "")
	s.fails(t, "--bucket", "cloud", "list", "--bucket", "")
	s.fails(t, "no state machine", "cloud", "list", "--state-machine",
		strings.TrimSuffix(os.Getenv("HELIOS_STATE_MACHINE"), "helios")+"other")
}

func TestCloudDetachAndCancel(t *testing.T) {
	s := newStack(t)
	s.createStateMachine(t, 600, "renders/out.mp4")
	s.fails(t, "--detach does not wait", "cloud", "render", "https://example.com/", "--detach", "-o", "a.mp4")
	id := strings.TrimSpace(s.ok(t, "cloud", "render", "https://example.com/page.html", "--detach"))
	if !strings.HasPrefix(id, "page-2") {
		t.Errorf("the id is %q", id)
	}
	s.fails(t, "still running", "cloud", "fetch", id)
	s.fails(t, "still running", "cloud", "redrive", id)
	s.ok(t, "cloud", "cancel", id)
	if out := s.ok(t, "cloud", "list"); !strings.Contains(out, "cancelled") {
		t.Errorf("the list is %q", out)
	}
	s.fails(t, "was cancelled", "cloud", "fetch", id)
}

// Each line is printed once, as soon as it is written, until the render ends.
func TestCloudLogsFollow(t *testing.T) {
	s := newStack(t)
	s.createStateMachine(t, 600, "renders/out.mp4")
	id := strings.TrimSpace(s.ok(t, "cloud", "render", "https://example.com/page.html", "--detach"))
	r, err := remote.Open(t.Context(), s.bucket, os.Getenv("HELIOS_STATE_MACHINE"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	logs := cloudwatchlogs.NewFromConfig(s.Config())
	group, stream := "/aws/lambda/chunk", "s"
	if _, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group}); err != nil {
		t.Fatal(err)
	}
	if _, err := logs.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{
		LogGroupName: &group, LogStreamName: &stream,
	}); err != nil {
		t.Fatal(err)
	}
	when := time.Now().UnixMilli()
	writeLog := func(line string) {
		when++
		if _, err := logs.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{
			LogGroupName: &group, LogStreamName: &stream,
			LogEvents: []types.InputLogEvent{{Message: &line, Timestamp: &when}},
		}); err != nil {
			t.Error(err)
		}
	}
	progress := func(name string) string {
		key := "jobs/job-1/progress/" + name
		log := cloud.Log{Group: "/aws/lambda/chunk", Stream: "s", RequestID: "r-1"}
		if err := r.Bucket.PutJSON(t.Context(), key, log); err != nil {
			t.Error(err)
		}
		return key
	}
	writeLog("START RequestId: r-1")
	first := progress("00001.a.running.f1.t100.m4096.u900.p3.g20")
	cmd := exec.CommandContext(t.Context(), "helios", "cloud", "logs", id, "--follow", "--partition", "1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		seen = append(seen, lines.Text())
		switch line := lines.Text(); {
		case strings.HasSuffix(line, "  START RequestId: r-1"):
			progress("00001.a.running.f9.t900.m4096.u900.p3.g20")
			if err := r.Bucket.Delete(t.Context(), first); err != nil {
				t.Error(err)
			}
			writeLog("half of it")
		case strings.HasSuffix(line, "  half of it"):
			writeLog("REPORT RequestId: r-1")
			progress("00001.a.done.f30.t5000.m4096.u900.p3.g20")
		case strings.HasSuffix(line, "  REPORT RequestId: r-1"):
			s.ok(t, "cloud", "cancel", id)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	got := regexp.MustCompile(`(?m)^[\d:.]+  |, [\d.]+ s, .*$`).ReplaceAllString(strings.Join(seen, "\n"), "")
	const want = `== 00001, attempt a: running after 1 frames
-- /aws/lambda/chunk, stream s, request r-1
START RequestId: r-1
half of it
== 00001, attempt a: done after 30 frames
REPORT RequestId: r-1`
	const done, report = "== 00001, attempt a: done after 30 frames", "REPORT RequestId: r-1"
	if got != want && got != strings.Replace(want, done+"\n"+report, report+"\n"+done, 1) {
		t.Errorf("it printed\n%s", strings.Join(seen, "\n"))
	}
}

func TestUploadedCompositionHasSameFrames(t *testing.T) {
	needChromium(t)
	s := newStack(t)
	s.createStateMachine(t, 600, "renders/out.mp4")
	const odd = "50% a+b#é 日本.js"
	s.write(t, "intro/my page.html", `<!doctype html>
<html data-duration="0.5" data-fps="10" data-width="64" data-height="36">
<link rel="stylesheet" href="css%20files/a&amp;b.css">
<b></b><script src="50%25%20a+b%23%C3%A9%20%E6%97%A5%E6%9C%AC.js"></script>`)
	s.write(t, "intro/css files/a&b.css", `body { margin: 0; background: #135 }
b { position: absolute; width: 9px; height: 9px; background: #fa0; animation: go .5s linear }
@keyframes go { to { left: 50px } }`)
	s.write(t, "intro/"+odd, `let n = 0; setInterval(() => document.querySelector("b").textContent = ++n, 100)`)
	const track = "my music.wav"
	sine := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=0.5",
		filepath.Join(s.dir, track))
	if out, err := sine.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	s.fails(t, "none.wav", "cloud", "render", "intro/my page.html", "--detach", "--audio-track", "none.wav")
	s.ok(t, "cloud", "render", "intro/my page.html", "--detach", "--audio-track", track)
	r, err := remote.Open(t.Context(), s.bucket, os.Getenv("HELIOS_STATE_MACHINE"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	list, err := r.List(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := r.Describe(t.Context(), list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	sound := seen.Request.Tracks[0].Source
	if !strings.HasPrefix(sound, "s3://"+s.bucket+"/sites/") || !strings.HasSuffix(sound, "/"+track) {
		t.Errorf("the sound is at %s", sound)
	}
	s.ok(t, "render", "intro/my page.html", "-o", "local.mp4", "--quiet", "--audio-track", track)
	s.ok(t, "render", seen.Request.Input, "-o", "bucket.mp4", "--quiet", "--concurrency", "2", "--audio-track", sound)
	want, err := frameDigests(filepath.Join(s.dir, "local.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := frameDigests(filepath.Join(s.dir, "bucket.mp4")); err != nil || got != want {
		t.Errorf("%s has different frames: %v\n%s\nwant\n%s", seen.Request.Input, err, got, want)
	}
	for _, file := range []string{"local.mp4", "bucket.mp4"} {
		streams, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_entries", "stream=codec_name",
			"-of", "csv=p=0", filepath.Join(s.dir, file)).Output()
		if err != nil || string(streams) != "h264\naac\n" {
			t.Errorf("%s has %q: %v", file, streams, err)
		}
	}
	if lines := strings.Fields(want); len(lines) < 5 || lines[0] == lines[len(lines)-1] {
		t.Errorf("the frames are all equal: %q", want)
	}
}

// moto does not implement GetAccountSettings: this server returns the response that AWS documents.
func TestCloudQuota(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/2016-08-19/account-settings" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{
			"AccountLimit": {
				"TotalCodeSize": 1, "CodeSizeUnzipped": 1, "CodeSizeZipped": 1,
				"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 2
			},
			"AccountUsage": {"TotalCodeSize": 0, "FunctionCount": 0}
		}`)
	}))
	defer server.Close()
	for name, value := range map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:1", "HELIOS_BUCKET": "b",
		"HELIOS_STATE_MACHINE": "arn:aws:states:us-east-1:123456789012:stateMachine:helios",
	} {
		t.Setenv(name, value)
	}
	s := &stack{dir: t.TempDir()}
	s.write(t, "page.html", `<html data-duration="1" data-fps="5" data-width="64" data-height="36">`)
	s.ok(t, "render", "page.html", "--emit-job", "job.json", "--concurrency", "5")
	out := s.ok(t, "cloud", "quota", "job.json", "--endpoint-url", server.URL)
	for _, line := range []string{
		"quota       1000 concurrent", "unreserved  2 concurrent", "partitions  5", "rounds      3", "Service Quotas",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("%q is not in\n%s", line, out)
		}
	}
	if out := s.ok(t, "cloud", "quota", "--endpoint-url", server.URL, "--json"); out != "{\"account\":1000,\"free\":2}\n" {
		t.Errorf("as JSON it is %s", out)
	}
}
