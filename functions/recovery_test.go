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

// planAs plans a job for a page of which an inspection found so much, and returns its work items.
func (s *stack) planAs(t *testing.T, request, inspection string) (p cloud.Planned, items []cloud.PartitionItem) {
	t.Helper()
	answer, failed := s.call(t, "plan", map[string]any{
		"action": "plan", "request": json.RawMessage(request), "inspection": json.RawMessage(inspection), "execution": map[string]string{"name": "x"},
	})
	if failed != "" {
		t.Fatal(answer)
	}
	if err := json.Unmarshal([]byte(answer), &p); err != nil {
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
func (s *stack) render(t *testing.T, p cloud.Planned, item cloud.PartitionItem) (answer, failed string) {
	t.Helper()
	return s.call(t, "chunk", cloud.RenderEvent{Action: "render", JobID: p.JobID, Partition: item})
}

func (s *stack) merge(t *testing.T, p cloud.Planned) (answer, failed string) {
	t.Helper()
	return s.call(t, "merge", cloud.MergeEvent{Action: "merge", JobID: p.JobID})
}

// uploads returns the keys of the multipart uploads that have not ended.
func (s *stack) uploads(t *testing.T) (keys []string) {
	t.Helper()
	list, err := s.bucket.Client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String(bucket)})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range list.Uploads {
		keys = append(keys, *u.Key)
	}
	return keys
}

// there reports whether an object is there.
func (s *stack) there(t *testing.T, key string) bool {
	t.Helper()
	list, err := s.bucket.List(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(list, func(o cloud.Object) bool { return o.Key == key })
}

// heavy returns a chunk of ten frames that are so much noise that three of them are sent in several parts.
func heavy(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "heavy.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=gray:s=960x540:r=10", "-frames:v", "10", "-vf", "noise=alls=100:allf=t",
		"-c:v", "libx264", "-preset", "ultrafast", "-qp", "4", "-pix_fmt", "yuv420p", "-g", "10", "-bf", "0", "-video_track_timescale", "10000", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return read(t, path)
}

const threeHeavy = `{"width":960,"height":540,"fps":"10","duration":3,"seekMode":"direct","frameMs":1,"chromium":"156","ffmpeg":"5"}`

// A merge that is killed in the middle of its upload leaves nothing under the output's key; the next one puts the
// whole output there, and takes away what the first one had sent.
func TestMergeIsKilledWhileItUploads(t *testing.T) {
	t.Parallel()
	s := alone(t)
	chunk := heavy(t)
	p, items := s.planAs(t, `{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":3}`, threeHeavy)
	for _, item := range items {
		if err := s.bucket.Put(t.Context(), cloud.Job(p.JobID).Prefix()+item.OutputFile, chunk); err != nil {
			t.Fatal(err)
		}
	}
	var parts atomic.Int64
	s.InjectS3Fault(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		// The first part is there when the function dies, and others are on their way.
		if r.URL.Query().Has("partNumber") {
			if n := parts.Add(1); n == 2 {
				s.lambda.Kill("merge")
			}
		}
		server.ServeHTTP(w, r)
	})
	answer, failed := s.merge(t, p)
	if failed != "Runtime.ExitError" || parts.Load() < 2 {
		t.Fatalf("%d parts were sent, and the answer is %s: %s", parts.Load(), failed, answer)
	}
	if keys := s.uploads(t); s.there(t, "renders/a.mp4") || !slices.Equal(keys, []string{"renders/a.mp4"}) {
		t.Errorf("it left an object: %v, and the uploads %q", s.there(t, "renders/a.mp4"), keys)
	}
	s.InjectS3Fault(nil)
	if answer, failed = s.merge(t, p); failed != "" {
		t.Fatal(answer)
	}
	if keys := s.uploads(t); len(keys) > 0 {
		t.Errorf("the uploads of %q were left behind", keys)
	}
	first := read(t, s.download(t, "renders/a.mp4"))
	frames := frameMD5(t, s.download(t, "renders/a.mp4"))
	if len(first) < 17<<20 || len(frames) != 30 {
		t.Errorf("the output has %d bytes and %d frames", len(first), len(frames))
	}
	if answer, failed = s.merge(t, p); failed != "" {
		t.Fatal(answer)
	}
	if !bytes.Equal(first, read(t, s.download(t, "renders/a.mp4"))) {
		t.Error("merging again gives other bytes")
	}

	// Two at once get through as well, of which one may have to be called again.
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 3 {
				answer, failed := s.merge(t, p)
				if failed == "" {
					return
				}
				if failed != cloud.TransientError {
					t.Errorf("one of two gave %s", answer)
					return
				}
			}
			t.Error("one of two does not get through")
		})
	}
	wg.Wait()
	if !bytes.Equal(first, read(t, s.download(t, "renders/a.mp4"))) || len(s.uploads(t)) > 0 {
		t.Error("two at once give other bytes, or leave an upload")
	}
}

// late asks for an asset in the middle, by which a test knows how far it is.
var late = strings.Replace(page, "</script>", `;setTimeout(()=>document.body.append(Object.assign(new Image,{src:"late.svg"})),600)</script>`, 1)

const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="red"/></svg>`

// A chunk function that is killed in the middle of its frames leaves no chunk and no process; the next call
// renders it whole.
func TestChunkIsKilledWhileItRenders(t *testing.T) {
	t.Parallel()
	s := alone(t)
	s.put(t, "sites/a/index.html", late)
	s.put(t, "sites/a/late.svg", svg)
	p := s.prepare(t, `{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":1}`)
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
	answer, failed := s.render(t, p, items[0])
	if failed != "Runtime.ExitError" {
		t.Fatalf("%s: %s", failed, answer)
	}
	chunk := cloud.Job(p.JobID).Prefix() + items[0].OutputFile
	if s.there(t, chunk) || len(s.uploads(t)) > 0 {
		t.Error("it left a part of the chunk")
	}
	if len(left) < 3 {
		t.Errorf("only the processes %d ran", left)
	}
	for _, pid := range left {
		wantGone(t, pid)
	}
	if answer, failed := s.render(t, p, items[0]); failed != "" || !strings.Contains(answer, `"state":"done"`) {
		t.Fatalf("the next call gave %s", answer)
	}
	if got := frameMD5(t, s.download(t, chunk)); len(got) != 12 || kills.Load() < 2 {
		t.Errorf("the chunk has %d frames", len(got))
	}
}

// wantGone waits until a process has ended.
func wantGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, os.ErrNotExist) || bytes.Contains(status, []byte(") Z ")) {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("process %d goes on: %s", pid, status)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Two environments render the same partition at once: both succeed, there is one chunk, and it is the one that a
// single call makes.
func TestPartitionIsRenderedTwiceAtOnce(t *testing.T) {
	t.Parallel()
	s := alone(t)
	s.put(t, "sites/a/index.html", page)
	p := s.prepare(t, `{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":2}`)
	item := s.items(t, p)[1]
	chunk := cloud.Job(p.JobID).Prefix() + item.OutputFile
	// The commits of the two wait for each other.
	var commits, refused atomic.Int64
	both := make(chan struct{})
	s.InjectS3Fault(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, chunk) {
			server.ServeHTTP(w, r)
			return
		}
		if r.Header.Get("If-None-Match") != "*" {
			t.Error("a commit may replace the chunk")
		}
		if commits.Add(1) == 2 {
			close(both)
		}
		<-both
		answer := &status{ResponseWriter: w}
		server.ServeHTTP(answer, r)
		if answer.code == http.StatusPreconditionFailed {
			refused.Add(1)
		}
	})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if answer, failed := s.render(t, p, item); failed != "" {
				t.Error(answer)
			}
		})
	}
	wg.Wait()
	if commits.Load() != 2 || refused.Load() != 1 {
		t.Errorf("of %d commits %d were refused", commits.Load(), refused.Load())
	}
	twice := read(t, s.download(t, chunk))
	for _, e := range s.lambda.Environments("chunk") {
		left, err := filepath.Glob(filepath.Join(e.Temp, "helios-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("the environment keeps %q, %v", left, err)
		}
	}
	list, err := s.bucket.List(t.Context(), cloud.Job(p.JobID).Prefix())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		if o.Key != chunk && !strings.HasSuffix(o.Key, ".json") && !strings.HasPrefix(o.Key, cloud.Job(p.JobID).Progress()) {
			t.Errorf("%s was left", o.Key)
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
	if answer, failed := s.render(t, p, item); failed != "" {
		t.Fatal(answer)
	}
	if !bytes.Equal(twice, read(t, s.download(t, chunk))) {
		t.Error("one call makes other bytes than two at once")
	}
}

// status notes the status of an answer.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// S3 that is throttled, breaks connections and stands still loses nothing, in any of the functions.
func TestS3IsBroken(t *testing.T) {
	t.Parallel()
	s := alone(t)
	s.lambda.SetTimeout("chunk", 3*time.Minute)
	s.put(t, "sites/a/index.html", late)
	s.put(t, "sites/a/late.svg", svg)
	var total, stalls atomic.Int64
	var seen sync.Map
	s.InjectS3Fault(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		n := total.Add(1)
		// The first two requests for anything go wrong, in turn; what stands still takes its time, and so only
		// some do.
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
	p := s.prepare(t, `{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":3}`)
	for _, item := range s.items(t, p) {
		if answer, failed := s.render(t, p, item); failed != "" {
			t.Fatal(answer)
		}
	}
	if answer, failed := s.merge(t, p); failed != "" {
		t.Fatal(answer)
	}
	if want, got := frameMD5(t, local(t, "3", late, "late.svg", svg)), frameMD5(t, s.download(t, "renders/a.mp4")); len(got) != 12 || !slices.Equal(want, got) {
		t.Errorf("the frames are\n%s\nand those of helios render\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if keys := s.uploads(t); len(keys) > 0 {
		t.Errorf("the uploads of %q were left behind", keys)
	}
	if n := total.Load(); n < 40 || n > 150 || stalls.Load() < 3 {
		t.Errorf("%d requests were made, of which %d stood still", n, stalls.Load())
	}
}

// With the attempts and the time that the plan function has on AWS, S3 that stands still is an error that passes, and
// not one of the work, which would not be tried again.
func TestS3StandsStillInTheTimeOfThePlan(t *testing.T) {
	t.Parallel()
	s := alone(t)
	s.lambda.SetTimeout("plan", 120*time.Second) // as in template.yaml
	var requests atomic.Int64
	s.InjectS3Fault(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		requests.Add(1)
		awstest.Stall(r)
	})
	answer, failed := s.call(t, "plan", map[string]any{
		"action": "plan", "request": json.RawMessage(`{"input":"s3://helios-test/sites/a/"}`), "inspection": json.RawMessage(threeHeavy), "execution": map[string]string{"name": "x"},
	})
	if failed != cloud.TransientError || requests.Load() < 6 || requests.Load() > 18 {
		t.Errorf("after %d requests it ended as %s: %s", requests.Load(), failed, answer)
	}
}

// S3 that stays away ends each function with an error that the state machine knows as one that passes, after a
// few requests and some seconds.
func TestS3StaysAway(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]awstest.S3Fault{
		"SlowDown": func(w http.ResponseWriter, r *http.Request, _ http.Handler) { awstest.SlowDown(w, r) },
		"reset":    func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { awstest.Reset(w) },
		"stall":    func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { awstest.Stall(r) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := alone(t, "AWS_MAX_ATTEMPTS=2")
			s.put(t, "sites/a/index.html", page)
			const request = `{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":3}`
			p, items := s.planAs(t, request, threeHeavy)
			var requests atomic.Int64
			s.InjectS3Fault(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
				requests.Add(1)
				disturb(w, r, server)
			})
			begun := time.Now()
			var calls sync.WaitGroup
			for _, test := range []struct {
				function string
				event    any
			}{
				{"chunk", map[string]any{"action": "inspect", "request": json.RawMessage(request)}},
				{"plan", map[string]any{"action": "plan", "request": json.RawMessage(request), "inspection": json.RawMessage(threeHeavy), "execution": map[string]string{"name": "x"}}},
				{"chunk", cloud.RenderEvent{Action: "render", JobID: p.JobID, Partition: items[0]}},
				{"merge", cloud.MergeEvent{Action: "merge", JobID: p.JobID}},
			} {
				calls.Go(func() {
					if answer, failed := s.call(t, test.function, test.event); failed != cloud.TransientError {
						t.Errorf("%s with %v gave %s: %s", test.function, test.event, failed, answer)
					}
				})
			}
			calls.Wait()
			// Inspect opens the page three times; two attempts at each of that, at three documents, at the config
			// and what is told before and after it, and at the spec.
			if n, took := requests.Load(), time.Since(begun); n < 8 || n > 20 || took > 100*time.Second {
				t.Errorf("%d requests were made in %s", n, took)
			}
		})
	}
}
