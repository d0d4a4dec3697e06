//go:build cloud

package functions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"helios/shared/cloud"
	"helios/shared/cloud/awstest"
)

// planWith plans a job with the result of an inspection, and returns its partitions.
func (s *stack) planWith(t *testing.T, request, inspection string) (p cloud.Planned, items []cloud.PartitionItem) {
	t.Helper()
	response, failed := s.call(t, "plan", map[string]any{
		"action": "plan", "request": json.RawMessage(request), "inspection": json.RawMessage(inspection),
		"execution": map[string]string{"name": "x"},
	})
	if failed != "" {
		t.Fatal(response)
	}
	if err := json.Unmarshal([]byte(response), &p); err != nil {
		t.Fatal(err)
	}
	return p, s.items(t, p)
}

func (s *stack) items(t *testing.T, p cloud.Planned) (items []cloud.PartitionItem) {
	t.Helper()
	if err := s.bucket.GetJSON(t.Context(), p.PartitionsKey, &items); err != nil {
		t.Fatal(err)
	}
	return items
}

// render calls the chunk function for a partition.
func (s *stack) render(t *testing.T, p cloud.Planned, item cloud.PartitionItem) (response, failed string) {
	t.Helper()
	return s.call(t, "chunk", cloud.RenderEvent{Action: "render", JobID: p.JobID, Partition: item})
}

func (s *stack) merge(t *testing.T, p cloud.Planned) (response, failed string) {
	t.Helper()
	return s.call(t, "merge", cloud.MergeEvent{Action: "merge", JobID: p.JobID})
}

// uploads returns the keys of unfinished multipart uploads.
func (s *stack) uploads(t *testing.T) (keys []string) {
	t.Helper()
	list, err := s.bucket.Client.ListMultipartUploads(t.Context(),
		&s3.ListMultipartUploadsInput{Bucket: aws.String(bucket)})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range list.Uploads {
		keys = append(keys, *u.Key)
	}
	return keys
}

// exists reports whether the bucket contains an object.
func (s *stack) exists(t *testing.T, key string) bool {
	t.Helper()
	list, err := s.bucket.List(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(list, func(o cloud.Object) bool { return o.Key == key })
}

// noisyChunk returns a chunk of ten frames of noise. An output of three such chunks is uploaded in several parts.
func noisyChunk(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "noise.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error",
		"-f", "lavfi", "-i", "color=gray:s=960x540:r=10", "-frames:v", "10", "-vf", "noise=alls=100:allf=t",
		"-c:v", "libx264", "-preset", "ultrafast", "-qp", "4", "-pix_fmt", "yuv420p", "-g", "10", "-bf", "0",
		"-video_track_timescale", "10000", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return read(t, path)
}

const noiseInspection = `{"width": 960, "height": 540, "fps": "10", "duration": 3, "seekMode": "direct", "frameMs": 1,
	"chromium": "156", "ffmpeg": "5"}`

// A merge that is killed during its upload writes no output. The next merge writes it and aborts the first upload.
func TestKilledMerge(t *testing.T) {
	t.Parallel()
	s := startFunctions(t)
	chunk := noisyChunk(t)
	p, items := s.planWith(t, `{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":3}`,
		noiseInspection)
	for _, item := range items {
		if err := s.bucket.Put(t.Context(), cloud.Job(p.JobID).Prefix()+item.OutputFile, chunk); err != nil {
			t.Fatal(err)
		}
	}
	var parts atomic.Int64
	s.InjectS3Fault(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		// Kill the function when the first part is uploaded and others are in transit.
		if r.URL.Query().Has("partNumber") {
			if n := parts.Add(1); n == 2 {
				s.lambda.Kill("merge")
			}
		}
		server.ServeHTTP(w, r)
	})
	response, failed := s.merge(t, p)
	if failed != "Runtime.ExitError" || parts.Load() < 2 {
		t.Fatalf("after %d parts, the response is %s: %s", parts.Load(), failed, response)
	}
	if keys := s.uploads(t); s.exists(t, "renders/a.mp4") || !slices.Equal(keys, []string{"renders/a.mp4"}) {
		t.Errorf("object exists: %v, uploads: %q", s.exists(t, "renders/a.mp4"), keys)
	}
	s.InjectS3Fault(nil)
	if response, failed = s.merge(t, p); failed != "" {
		t.Fatal(response)
	}
	if keys := s.uploads(t); len(keys) > 0 {
		t.Errorf("the uploads of %q remain", keys)
	}
	first := read(t, s.download(t, "renders/a.mp4"))
	frames := frameMD5(t, s.download(t, "renders/a.mp4"))
	if len(first) < 17<<20 || len(frames) != 30 {
		t.Errorf("the output has %d bytes and %d frames", len(first), len(frames))
	}
	if response, failed = s.merge(t, p); failed != "" {
		t.Fatal(response)
	}
	if !bytes.Equal(first, read(t, s.download(t, "renders/a.mp4"))) {
		t.Error("the second merge writes other bytes")
	}

	// Two concurrent merges also succeed. One of them may need a retry.
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 3 {
				response, failed := s.merge(t, p)
				if failed == "" {
					return
				}
				if failed != cloud.TransientError {
					t.Errorf("a concurrent merge returned %s", response)
					return
				}
			}
			t.Error("a concurrent merge failed three times")
		})
	}
	wg.Wait()
	if !bytes.Equal(first, read(t, s.download(t, "renders/a.mp4"))) || len(s.uploads(t)) > 0 {
		t.Error("concurrent merges write other bytes, or leave an upload")
	}
}

// latePage requests an asset after 600 ms. A test can wait for this request.
var latePage = strings.Replace(page, "</script>",
	`;setTimeout(()=>document.body.append(Object.assign(new Image,{src:"late.svg"})),600)</script>`, 1)

const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="red"/></svg>`

// A chunk function that is killed while it renders leaves no chunk and no process. The next call renders the chunk.
func TestKilledChunk(t *testing.T) {
	t.Parallel()
	s := startFunctions(t)
	s.put(t, "sites/a/index.html", latePage)
	s.put(t, "sites/a/late.svg", svg)
	p := s.plan(t, `{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":1}`)
	items := s.items(t, p)
	var kills atomic.Int64
	var left []int
	s.InjectS3Fault(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if strings.HasSuffix(r.URL.Path, "/late.svg") && kills.Add(1) == 1 {
			for _, e := range s.lambda.Environments("chunk") {
				left = descendants(t, e.PID)
			}
			s.lambda.Kill("chunk")
		}
		server.ServeHTTP(w, r)
	})
	response, failed := s.render(t, p, items[0])
	if failed != "Runtime.ExitError" {
		t.Fatalf("%s: %s", failed, response)
	}
	chunk := cloud.Job(p.JobID).Prefix() + items[0].OutputFile
	if s.exists(t, chunk) || len(s.uploads(t)) > 0 {
		t.Error("the killed call wrote a part of the chunk")
	}
	if len(left) < 3 {
		t.Errorf("found only the processes %d", left)
	}
	for _, pid := range left {
		waitForExit(t, pid)
	}
	if response, failed := s.render(t, p, items[0]); failed != "" || !strings.Contains(response, `"state":"done"`) {
		t.Fatalf("the next call returned %s", response)
	}
	if got := frameMD5(t, s.download(t, chunk)); len(got) != 12 || kills.Load() < 2 {
		t.Errorf("the chunk has %d frames", len(got))
	}
}

// waitForExit waits until a process has ended.
func waitForExit(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, os.ErrNotExist) || bytes.Contains(status, []byte(") Z ")) {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("process %d is still running: %s", pid, status)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Two environments render the same partition at once. Both succeed, and the chunk equals that of a single call.
func TestConcurrentRenders(t *testing.T) {
	t.Parallel()
	s := startFunctions(t)
	s.put(t, "sites/a/index.html", page)
	p := s.plan(t, `{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":2}`)
	item := s.items(t, p)[1]
	chunk := cloud.Job(p.JobID).Prefix() + item.OutputFile
	// The two commits wait for each other.
	var commits, rejected atomic.Int64
	both := make(chan struct{})
	s.InjectS3Fault(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, chunk) {
			server.ServeHTTP(w, r)
			return
		}
		if r.Header.Get("If-None-Match") != "*" {
			t.Error("a commit can replace the chunk")
		}
		if commits.Add(1) == 2 {
			close(both)
		}
		<-both
		recorder := &statusRecorder{ResponseWriter: w}
		server.ServeHTTP(recorder, r)
		if recorder.code == http.StatusPreconditionFailed {
			rejected.Add(1)
		}
	})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if response, failed := s.render(t, p, item); failed != "" {
				t.Error(response)
			}
		})
	}
	wg.Wait()
	if commits.Load() != 2 || rejected.Load() != 1 {
		t.Errorf("%d commits, %d rejected, want 2 and 1", commits.Load(), rejected.Load())
	}
	twice := read(t, s.download(t, chunk))
	for _, e := range s.lambda.Environments("chunk") {
		left, err := filepath.Glob(filepath.Join(e.Temp, "helios-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("temporary files remain: %q, %v", left, err)
		}
	}
	list, err := s.bucket.List(t.Context(), cloud.Job(p.JobID).Prefix())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		if o.Key != chunk && !strings.HasSuffix(o.Key, ".json") && !strings.HasPrefix(o.Key, cloud.Job(p.JobID).Progress()) {
			t.Errorf("%s remains", o.Key)
		}
	}
	progress, err := cloud.ReadProgress(t.Context(), s.bucket, p.JobID, cloud.PricesOf("arm64"))
	if err != nil || progress.Done != 1 || progress.Frames != item.FrameCount || progress.Partitions[1].Attempts != 2 {
		t.Errorf("progress: %+v, %v", progress, err)
	}
	s.InjectS3Fault(nil)
	if err := s.bucket.Delete(t.Context(), chunk); err != nil {
		t.Fatal(err)
	}
	if response, failed := s.render(t, p, item); failed != "" {
		t.Fatal(response)
	}
	if !bytes.Equal(twice, read(t, s.download(t, chunk))) {
		t.Error("a single call writes other bytes")
	}
}

// statusRecorder records the status of a response.
type statusRecorder struct {
	http.ResponseWriter
	code int
}

func (s *statusRecorder) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// The functions tolerate an S3 that throttles, resets connections, truncates responses and stalls.
func TestUnreliableS3(t *testing.T) {
	t.Parallel()
	s := startFunctions(t)
	s.lambda.SetTimeout("chunk", 3*time.Minute)
	s.put(t, "sites/a/index.html", latePage)
	s.put(t, "sites/a/late.svg", svg)
	var total, stalls atomic.Int64
	var seen sync.Map
	s.InjectS3Fault(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		n := total.Add(1)
		// The first two attempts at each request fail, with different faults. Only three stall, because that is slow.
		count, _ := seen.LoadOrStore(r.Method+r.URL.Path+r.Header.Get("Range"), new(atomic.Int64))
		tries := count.(*atomic.Int64).Add(1)
		switch {
		case strings.Contains(r.URL.Path, "/progress/") || tries > 2:
			server.ServeHTTP(w, r)
		case n%7 == 3 && stalls.Add(1) <= 3:
			awstest.Stall(r)
		case n%3 == 0:
			awstest.SlowDown(w, r)
		case n%3 == 1:
			awstest.Reset(w)
		case r.Method == http.MethodGet:
			server.ServeHTTP(awstest.Truncate(w, 100), r)
		default:
			server.ServeHTTP(w, r)
		}
	})
	p := s.plan(t, `{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":3}`)
	for _, item := range s.items(t, p) {
		if response, failed := s.render(t, p, item); failed != "" {
			t.Fatal(response)
		}
	}
	if response, failed := s.merge(t, p); failed != "" {
		t.Fatal(response)
	}
	want := frameMD5(t, renderLocally(t, "3", latePage, "late.svg", svg))
	if got := frameMD5(t, s.download(t, "renders/a.mp4")); len(got) != 12 || !slices.Equal(want, got) {
		t.Errorf("the frames are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if keys := s.uploads(t); len(keys) > 0 {
		t.Errorf("the uploads of %q remain", keys)
	}
	if n := total.Load(); n < 40 || n > 150 || stalls.Load() < 3 {
		t.Errorf("%d requests, %d of them stalled", n, stalls.Load())
	}
}

// If S3 stalls, the plan function returns a transient error before it times out. A timeout would not be retried.
func TestStalledS3(t *testing.T) {
	t.Parallel()
	s := startFunctions(t)
	s.lambda.SetTimeout("plan", 120*time.Second) // as in template.yaml
	var requests atomic.Int64
	s.InjectS3Fault(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		requests.Add(1)
		awstest.Stall(r)
	})
	response, failed := s.call(t, "plan", map[string]any{
		"action": "plan", "request": json.RawMessage(`{"input":"s3://helios-test/sites/a/"}`),
		"inspection": json.RawMessage(noiseInspection), "execution": map[string]string{"name": "x"},
	})
	if failed != cloud.TransientError || requests.Load() < 6 || requests.Load() > 18 {
		t.Errorf("after %d requests, it returned %s: %s", requests.Load(), failed, response)
	}
}

// If S3 is down, each function returns a transient error after a few requests and some seconds.
func TestUnavailableS3(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]awstest.S3Fault{
		"SlowDown": func(w http.ResponseWriter, r *http.Request, _ http.Handler) { awstest.SlowDown(w, r) },
		"reset":    func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { awstest.Reset(w) },
		"stall":    func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { awstest.Stall(r) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startFunctions(t, "AWS_MAX_ATTEMPTS=2")
			s.put(t, "sites/a/index.html", page)
			const request = `{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":3}`
			p, items := s.planWith(t, request, noiseInspection)
			var requests atomic.Int64
			s.InjectS3Fault(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
				requests.Add(1)
				disturb(w, r, server)
			})
			start := time.Now()
			var calls sync.WaitGroup
			for _, test := range []struct {
				function string
				event    any
			}{
				{"chunk", map[string]any{"action": "inspect", "request": json.RawMessage(request)}},
				{"plan", map[string]any{"action": "plan", "request": json.RawMessage(request),
					"inspection": json.RawMessage(noiseInspection), "execution": map[string]string{"name": "x"}}},
				{"chunk", cloud.RenderEvent{Action: "render", JobID: p.JobID, Partition: items[0]}},
				{"merge", cloud.MergeEvent{Action: "merge", JobID: p.JobID}},
			} {
				calls.Go(func() {
					if response, failed := s.call(t, test.function, test.event); failed != cloud.TransientError {
						t.Errorf("%s with %v returned %s: %s", test.function, test.event, failed, response)
					}
				})
			}
			calls.Wait()
			// Two attempts at each request: inspect opens the page up to three times, plan writes three documents,
			// render reads the header and reports progress twice, and merge reads the header.
			if n, took := requests.Load(), time.Since(start); n < 8 || n > 20 || took > 100*time.Second {
				t.Errorf("%d requests in %s", n, took)
			}
		})
	}
}
