package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/goleak"

	"helios/shared/fault"
	"helios/shared/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func example(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// event returns the example event of an action.
func event(t *testing.T, function, action string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../functions/" + function + "/examples/" + action + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var e struct{ Event json.RawMessage }
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return e.Event
}

func TestParseRequest(t *testing.T) {
	if _, err := ParseRequest(example(t, "request.json")); err != nil {
		t.Error(err)
	}
	for _, test := range []struct{ request, want string }{
		{`{`, "not valid JSON"},
		{`{} {}`, "more than one"},
		{`{"input":"/etc/passwd"}`, "input"},
		{`{"input":"http://127.0.0.1:9001/2018-06-01/runtime/invocation/next"}`, "not on the public internet"},
		{`{"input":"http://localhost./"}`, "not on the public internet"},
		{`{"input":"http://[::ffff:169.254.169.254]/"}`, "not on the public internet"},
		{`{"input":"https://user:pw@example.com/"}`, "password"},
		{`{"input":"https://example.com/","fsp":30}`, "fsp: is not a field"},
		{`{"input":"https://example.com/","fps":"fast"}`, "fps: "},
		{`{"input":"https://example.com/","width":"big"}`, "width: must be"},
		{`{"input":"https://example.com/","width":20000}`, "width"},
		{`{"input":"https://example.com/","output":"requests/x.json"}`, "output"},
		{`{"input":"https://example.com/","output":"jobs/x.mp4"}`, "output"},
		{`{"input":"https://example.com/","output":"a/../jobs/x.mp4"}`, "output"},
		{`{"input":"https://example.com/","output":"/x.mp4"}`, "output"},
		{`{"input":"https://example.com/","output":"x.txt"}`, "output"},
		{`{"input":"https://example.com/","webhook":"http://example.com/"}`, "webhook"},
		{`{"input":"https://example.com/","webhook":"https://10.0.0.1/"}`, "webhook"},
		{`{"input":"https://example.com/","maxConcurrency":-1}`, "maxConcurrency"},
		{`{"input":"https://example.com/","targetChunkSeconds":1000}`, "targetChunkSeconds"},
		{`{"input":"https://example.com/","tracks":[{"source":"/proc/self/environ","volume":1}]}`, "tracks[0].source"},
	} {
		_, err := ParseRequest([]byte(test.request))
		var field *job.Error
		if !errors.As(err, &field) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s returned %v", test.request, err)
		}
	}
}

// The schema has the fields of Request and accepts the example.
func TestRequestSchema(t *testing.T) {
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(RequestSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	var fields []string
	var collect func(reflect.Type)
	collect = func(typ reflect.Type) {
		for f := range typ.Fields() {
			if f.Anonymous {
				collect(f.Type)
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "-" {
				fields = append(fields, name)
			}
		}
	}
	collect(reflect.TypeFor[Request]())
	slices.Sort(fields)
	var have []string
	for name := range schema.Properties {
		have = append(have, name)
	}
	slices.Sort(have)
	if diff := cmp.Diff(fields, have); diff != "" {
		t.Errorf("- field, + schema:\n%s", diff)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(RequestSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("urn:x", document); err != nil {
		t.Fatal(err)
	}
	compiled := c.MustCompile("urn:x")
	request, err := jsonschema.UnmarshalJSON(bytes.NewReader(example(t, "request.json")))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(request); err != nil {
		t.Error(err)
	}
	if compiled.Validate(map[string]any{"input": "ftp://x"}) == nil {
		t.Error("the schema accepts an ftp address")
	}
}

func TestPlanDependsOnSpeed(t *testing.T) {
	e, err := decode[PlanEvent](event(t, "plan", "plan"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRequest(e.Request)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := r.plan(e.Inspection, "intro")
	if err != nil {
		t.Fatal(err)
	}
	// 600 frames of 200 ms take 120 s; a partition takes 60 s.
	if len(spec.Partitions) != 2 || spec.Config.Output != "renders/intro.mp4" || spec.Config.SeekMode != job.SeekDirect {
		t.Errorf("%d partitions, %+v", len(spec.Partitions), spec.Config)
	}
	again, err := r.plan(e.Inspection, "another")
	if err != nil {
		t.Fatal(err)
	}
	e.Inspection.Chromium = "157"
	newer, err := r.plan(e.Inspection, "intro")
	if err != nil {
		t.Fatal(err)
	}
	if newer.JobID == spec.JobID || again.Config.Output != "renders/another.mp4" {
		t.Error("the job does not depend on the version of Chromium")
	}
	r.Concurrency = 1
	e.Inspection.FrameMS = 2000
	if _, err := r.plan(e.Inspection, "intro"); err == nil ||
		!strings.Contains(err.Error(), "partitions of 600 frames take about 20m0s") {
		t.Errorf("a partition that is too large returned %v", err)
	}
}

func TestExecutionName(t *testing.T) {
	e, err := decode[ObjectCreated](event(t, "plan", "object-created"))
	if err != nil {
		t.Fatal(err)
	}
	name := e.executionName()
	if name != e.executionName() || len(name) > 80 {
		t.Error(name)
	}
	e.Detail.Object.Sequencer += "1"
	if e.executionName() == name {
		t.Error("a second upload of the document has the same execution")
	}
}

func TestUsageNames(t *testing.T) {
	u := Usage{Unit: "00007", Attempt: "8f3a0c21", State: Running, Frames: 120, Milliseconds: 5400, MemoryMB: 4096,
		UsedMB: 900, Puts: 3, Gets: 20}
	if got, ok := ParseUsage(u.Name()); !ok || got != u {
		t.Errorf("%s was decoded as %+v", u.Name(), got)
	}
	for _, name := range []string{
		"", "x", u.Name() + ".x",
		strings.Replace(u.Name(), "f120", "f-1", 1), strings.Replace(u.Name(), "t5400", "5400", 1),
	} {
		if _, ok := ParseUsage(name); ok {
			t.Errorf("%q was accepted", name)
		}
	}
}

// Progress does not decrease when a partition is retried, or while an attempt has two progress objects.
func TestProgressDoesNotDecrease(t *testing.T) {
	now := time.Now()
	var list []Object
	add := func(u Usage) *Progress {
		now = now.Add(time.Second)
		u.MemoryMB = 1024
		list = append(list, Object{Key: Job("x").Progress() + u.Name(), Modified: now})
		return progressOf(list, PricesOf("arm64"))
	}
	frames, dollars := int64(0), 0.0
	for i, step := range []struct {
		usage Usage
		want  int64
		state State
	}{
		{Usage{Unit: "00000", Attempt: "a", State: Running}, 0, Running},
		{Usage{Unit: "00000", Attempt: "a", State: Running, Frames: 50, Milliseconds: 5000}, 50, Running},
		{Usage{Unit: "00000", Attempt: "a", State: Failed, Frames: 60, Milliseconds: 6000}, 60, Failed},
		{Usage{Unit: "00000", Attempt: "b", State: Running, Frames: 1, Milliseconds: 100}, 60, Running},
		{Usage{Unit: "00000", Attempt: "b", State: Done, Frames: 100, Milliseconds: 9000}, 100, Done},
		{Usage{Unit: "00000", Attempt: "c", State: Failed, Frames: 2, Milliseconds: 10}, 100, Done},
		{Usage{Unit: "merge", Attempt: "d", State: Done, Milliseconds: 10}, 100, Done},
	} {
		p := add(step.usage)
		if p.Frames != step.want || p.Partitions[0].State != step.state {
			t.Errorf("after step %d: %+v", i, p)
		}
		if p.Frames < frames || p.Dollars < dollars {
			t.Errorf("progress decreased in step %d", i)
		}
		frames, dollars = p.Frames, p.Dollars
	}
	p := progressOf(list, PricesOf("arm64"))
	if q := p.Partitions[0]; q.Attempts != 3 || q.Milliseconds != 15010 || p.Done != 1 || p.Failed != 2 {
		t.Errorf("at the end: %+v", p)
	}
}

func TestReport(t *testing.T) {
	var list []Object
	for i := range 1000 {
		u := Usage{Unit: PartitionUnit(i), Attempt: "a", State: Done, Frames: 10, Milliseconds: 10_000, MemoryMB: 4096,
			UsedMB: int64(i), Puts: 5, Gets: 10}
		list = append(list, Object{Key: u.Name()})
	}
	r := reportOf(list, Planned{JobID: "x", Partitions: 1000, Frames: 10_000},
		Usage{Unit: UnitFinish, MemoryMB: 1024, Milliseconds: 1000}, PricesOf("arm64"))
	// 1000 x 10 s x 4 GB and 1 s x 1 GB; 1001 calls; 5000 puts, 10,000 gets.
	want := Cost{Lambda: 0.5335495, Transitions: 0.0503, S3: 0.029, Total: 0.6128495}
	about := cmp.Comparer(func(a, b float64) bool { return a-b < 1e-5 && b-a < 1e-5 })
	if diff := cmp.Diff(want, r.Cost, about); diff != "" {
		t.Error(diff)
	}
	if f := r.Functions["chunk"]; f.Calls != 1000 || f.Milliseconds != 10_000_000 || f.UsedMB != 999 ||
		r.Functions["merge"].Calls != 1 || r.Transitions != 2012 {
		t.Errorf("%+v", r)
	}
}

func TestErrorNames(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{fault.Userf("x"), UserError},
		{fmt.Errorf("reading: %w", job.Errorf("fps", "x")), UserError},
		{fmt.Errorf("partition 1: %w", fault.Transientf("x")), TransientError},
		{fmt.Errorf("x: %w", &timeoutError{"timed out"}), TimeoutError},
		{errors.New("x"), InternalError},
		{fs.ErrNotExist, InternalError},
	} {
		a := invokeError(test.err, Log{Group: "g", Stream: "s", RequestID: "r"})
		if a.Type != test.want || !strings.HasSuffix(a.Message, "(log: g, stream s, request r)") {
			t.Errorf("%v was converted to %+v", test.err, a)
		}
	}
}

func TestWebhook(t *testing.T) {
	calls := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		body, _ := io.ReadAll(r.Body)
		if Sign([]byte("secret"), r.Header.Get(TimeHeader), body) != r.Header.Get(SignatureHeader) {
			t.Error("the signature is wrong")
		}
		if calls < 3 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer server.Close()
	defer server.Client().CloseIdleConnections()
	h := newWebhook([]byte("secret"))
	h.delays = []time.Duration{0, 0, 0}
	address := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	err := h.send(context.Background(), address, []byte(`{}`))
	if !errors.Is(err, errPrivate) || calls != 0 {
		t.Errorf("a name of a loopback address returned %v after %d requests", err, calls)
	}
	h.client = server.Client()
	if err := h.send(context.Background(), "https://example.com/", []byte(`{"a":1}`)); err != nil || calls != 3 {
		t.Errorf("after %d requests: %v", calls, err)
	}
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		w.WriteHeader(http.StatusGone)
	})
	if err := h.send(context.Background(), "https://example.com/", nil); err == nil || calls != 4 {
		t.Errorf("after %d requests: %v", calls, err)
	}
}

// A webhook does not follow redirects, and uses only https on the public internet.
func TestWebhookRestrictions(t *testing.T) {
	var paths []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		http.Redirect(w, r, "/inside", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	defer server.Client().CloseIdleConnections()
	h := newWebhook([]byte("secret"))
	h.client.Transport = server.Client().Transport // resolves example.com to the server
	if err := h.send(t.Context(), "https://example.com/hook", nil); !errors.Is(err, errRedirect) ||
		!slices.Equal(paths, []string{"/hook"}) {
		t.Errorf("after requests to %q: %v", paths, err)
	}
	for _, address := range []string{
		"http://example.com/hook", "https://[fd00:ec2::254]/", "https://169.254.169.254/latest/", "example.com",
	} {
		if err := h.send(t.Context(), address, nil); err == nil || len(paths) != 1 {
			t.Errorf("%s was called: %v", address, err)
		}
	}
	// Addresses are checked after name resolution.
	for _, address := range []string{
		"127.0.0.1:443", "[::1]:443", "10.0.0.1:443", "169.254.169.254:80", "[::ffff:192.168.0.1]:443",
	} {
		if err := publicOnly("tcp", address, nil); !errors.Is(err, errPrivate) {
			t.Errorf("a connection to %s returned %v", address, err)
		}
	}
}
