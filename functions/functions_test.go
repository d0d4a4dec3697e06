//go:build cloud

// Package functions tests the compiled functions and the state machine. Package awstest describes how they run.
package functions

import (
	"context"
	"encoding/json"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"go.uber.org/goleak"

	"helios/shared/cloud"
	"helios/shared/cloud/awstest"
	"helios/shared/store/s3test"
)

func TestMain(m *testing.M) {
	code := 1
	dir, err := os.MkdirTemp("", "helios-functions-")
	if err == nil {
		binaries = dir
		code = m.Run()
		os.RemoveAll(dir)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

const bucket = "helios-test"

// binaries is the folder of the compiled functions.
var binaries string

var building sync.Mutex

// build compiles a function, as the Makefile does.
func build(t *testing.T, name string) string {
	t.Helper()
	if program := os.Getenv("HELIOS_CHUNK_BOOTSTRAP"); name == "chunk" && program != "" {
		return program // the binary of the image, see tools/test-image.sh
	}
	building.Lock()
	defer building.Unlock()
	path := filepath.Join(binaries, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.Command("go", "build", "-o", path, "./"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compiling functions/%s: %v\n%s", name, err, out)
	}
	return path
}

// stack contains the functions, the bucket and the state machine of template.yaml.
type stack struct {
	*awstest.Endpoint
	lambda  *awstest.Lambda
	bucket  *cloud.Bucket
	states  *sfn.Client
	machine string
	regions int // number of regions with an execution
}

// startStack starts the functions, and moto with the state machine.
func startStack(t *testing.T, env ...string) *stack {
	t.Helper()
	s := &stack{lambda: awstest.NewLambda(t)}
	s.Endpoint = awstest.StartMoto(t, s.lambda)
	config := s.Config()
	s.bucket = &cloud.Bucket{Name: bucket, Client: s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })}
	s.states = sfn.NewFromConfig(config)
	s.makeBucket(t)
	s.machine = createMachine(t, s.states)
	s.deploy(t, env)
	return s
}

// startFunctions starts the functions and a strict S3 server, without a state machine. Requests of s.bucket bypass the
// endpoint, so faults that it injects do not affect them.
func startFunctions(t *testing.T, env ...string) *stack {
	t.Helper()
	server := s3test.Start(t)
	s := &stack{lambda: awstest.NewLambda(t), bucket: &cloud.Bucket{Name: bucket, Client: server.Client()}}
	s.Endpoint = awstest.StartS3(t, s.lambda, server.Endpoint)
	s.makeBucket(t)
	s.deploy(t, append([]string{
		"AWS_ACCESS_KEY_ID=" + server.AccessKey, "AWS_SECRET_ACCESS_KEY=" + server.SecretKey, "AWS_SESSION_TOKEN=",
	}, env...))
	return s
}

func (s *stack) makeBucket(t *testing.T) {
	t.Helper()
	if _, err := s.bucket.Client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	s.logOnFailure(t)
}

func (s *stack) deploy(t *testing.T, env []string) {
	t.Helper()
	for name, f := range map[string]awstest.Function{
		"plan":  {Concurrency: 2, Timeout: 60 * time.Second, MemoryMB: 512},
		"chunk": {Concurrency: 2, Timeout: 120 * time.Second, MemoryMB: 4096},
		"merge": {Concurrency: 2, Timeout: 60 * time.Second, MemoryMB: 1024},
	} {
		f.Name, f.Binary = name, build(t, name)
		f.Env = []string{
			"AWS_ENDPOINT_URL=" + s.URL,
			cloud.BucketVariable + "=" + bucket,
			cloud.StateMachineVariable + "=" + s.machine,
			cloud.MaxConcurrencyVariable + "=3",
			cloud.ArchitectureVariable + "=arm64",
			"HELIOS_NO_SANDBOX=1",
		}
		f.Env = append(f.Env, env...)
		s.lambda.Add(f)
	}
}

// createMachine creates the state machine of statemachine/render.asl.json.
func createMachine(t *testing.T, states *sfn.Client) (arn string) {
	t.Helper()
	definition, err := os.ReadFile("../statemachine/render.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(
		"${PlanFunction}", "arn:aws:lambda:us-east-1:123456789012:function:plan",
		"${ChunkFunction}", "arn:aws:lambda:us-east-1:123456789012:function:chunk",
		"${MergeFunction}", "arn:aws:lambda:us-east-1:123456789012:function:merge",
		"${Bucket}", bucket,
	).Replace(string(definition))
	out, err := states.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("helios"), Definition: &text, RoleArn: aws.String("arn:aws:iam::123456789012:role/helios"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.StateMachineArn
}

// put writes an object.
func (s *stack) put(t *testing.T, key, text string) {
	t.Helper()
	if err := s.bucket.Put(t.Context(), key, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// run starts an execution and waits until it ends.
func (s *stack) run(t *testing.T, name, request string) *sfn.DescribeExecutionOutput {
	t.Helper()
	// moto runs only one execution per region.
	s.regions++
	region := []string{"us-east-1", "us-west-2", "eu-west-1"}[s.regions]
	states := sfn.New(s.states.Options(), func(o *sfn.Options) { o.Region = region })
	machine := createMachine(t, states)
	out, err := states.StartExecution(t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: &machine, Name: &name, Input: &request,
	})
	if err != nil {
		t.Fatal(err)
	}
	return wait(t, states, *out.ExecutionArn)
}

func wait(t *testing.T, states *sfn.Client, arn string) *sfn.DescribeExecutionOutput {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		d, err := states.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
		if err != nil {
			t.Fatal(err)
		}
		if d.Status != types.ExecutionStatusRunning {
			return d
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the execution did not end")
		}
	}
}

// finished requires success and returns the output of an execution.
func finished(t *testing.T, d *sfn.DescribeExecutionOutput) (f cloud.Finished) {
	t.Helper()
	if d.Status != types.ExecutionStatusSucceeded {
		t.Fatalf("the execution ended as %s: %s: %s", d.Status, aws.ToString(d.Error), aws.ToString(d.Cause))
	}
	if err := json.Unmarshal([]byte(*d.Output), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// frameMD5 returns the digest of each frame of a video.
func frameMD5(t *testing.T, path string) []string {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-f", "framemd5", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(string(out)), "\n"),
		func(l string) bool { return strings.HasPrefix(l, "#") })
}

// download downloads an object to a file.
func (s *stack) download(t *testing.T, key string) string {
	t.Helper()
	data, err := s.bucket.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(key))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// page moves a box and increments a number. It uses no fonts that may differ.
const page = `<!DOCTYPE html><html data-duration="1.2" data-fps="10" data-width="160" data-height="90">
<style>body{margin:0;background:#123}div{width:20px;height:20px;background:#fa0;animation:m 1.2s linear}
@keyframes m{to{transform:translateX(140px)}}</style><div></div><p style="color:#fff"></p>
<script>let n=0;setInterval(()=>document.querySelector("p").textContent=++n,100)</script></html>`

// renderLocally renders a page with helios render. files are pairs of names and contents.
func renderLocally(t *testing.T, concurrency, page string, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range pairs(append([]string{"index.html", page}, files...)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "local.mp4")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx,
		"go", "run", "helios/cmd/helios", "render", dir, "-o", out, "--concurrency", concurrency)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("helios render: %v\n%s", err, text)
	}
	return out
}

// pairs iterates over pairs of strings.
func pairs(list []string) iter.Seq2[string, string] {
	return func(yield func(name, text string) bool) {
		for pair := range slices.Chunk(list, 2) {
			if !yield(pair[0], pair[1]) {
				return
			}
		}
	}
}

// logOnFailure lists the bucket if the test fails.
func (s *stack) logOnFailure(t *testing.T) {
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		list, err := s.bucket.List(context.Background(), "")
		t.Log(err)
		for _, o := range list[max(0, len(list)-100):] {
			t.Log(o.Modified.Format("15:04:05"), o.Key, o.Size)
		}
	})
}
