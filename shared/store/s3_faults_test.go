package store

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"helios/shared/fault"
	"helios/shared/store/s3test"
)

// disturbed returns a store whose requests pass through disturb on their way to a server.
func disturbed(t *testing.T, disturb func(w http.ResponseWriter, r *http.Request, server http.Handler)) *S3 {
	t.Helper()
	server := s3test.Start(t)
	to, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	forward := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // it is signed
	}}
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { disturb(w, r, forward) }))
	t.Cleanup(transport.CloseIdleConnections)
	t.Cleanup(between.Close)
	server.Setenv(t)
	t.Setenv("AWS_ENDPOINT_URL", between.URL)
	s, err := OpenS3(t.Context(), server.Bucket(t), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.CloseIdleConnections)
	return s
}

func slowDown(w http.ResponseWriter) {
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, "<Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>")
}

// reset breaks the connection of a request.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// cut passes some bytes of an answer on, then breaks the connection.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	if len(p) > c.left {
		c.ResponseWriter.Write(p[:c.left])
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	c.left -= len(p)
	return c.ResponseWriter.Write(p)
}

func TestS3ThatIsThrottledAndBrokenLosesNothing(t *testing.T) {
	var requests atomic.Int64
	s := disturbed(t, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		switch requests.Add(1) % 5 {
		case 0:
			slowDown(w)
		case 2:
			reset(w)
		case 3:
			if r.Method == http.MethodGet {
				w = &cut{w, 1 << 20}
			}
			server.ServeHTTP(w, r)
		default:
			server.ServeHTTP(w, r)
		}
	})
	data := string(large())
	w := create(t, s, "a")
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	if err := w.CommitNew(); err != nil {
		t.Fatal(err)
	}
	wantObject(t, s, "a", data)
	wantNoUploads(t, s)
}

// An answer that breaks off is read on where it broke off, also that of an object which is smaller than what was
// asked for.
func TestS3AnswersThatBreakOff(t *testing.T) {
	for _, size := range []int{1000, HeadSize + 1000} {
		var gets atomic.Int64
		s := disturbed(t, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
			if r.Method == http.MethodGet && gets.Add(1)%2 == 1 {
				w = &cut{w, 500}
			}
			server.ServeHTTP(w, r)
		})
		data := string(large()[:size])
		put(t, s, "a", data)
		wantObject(t, s, "a", data)
		if n := gets.Load(); n < 2 || n > 10 {
			t.Errorf("%d requests were made for %d bytes", n, size)
		}
	}
}

// So it is when the answer was to say that there is no such object.
func TestS3ErrorsThatBreakOff(t *testing.T) {
	var gets atomic.Int64
	often := int64(1)
	s := disturbed(t, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if r.Method == http.MethodGet && gets.Add(1) <= often {
			w = &cut{w, 100}
		}
		server.ServeHTTP(w, r)
	})
	if _, err := s.Open(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there gave %v", err)
	}
	gets.Store(0)
	often = 100
	if _, err := s.Open(t.Context(), "a"); fault.Of(err) != fault.Transient || gets.Load() != rangeTries {
		t.Errorf("answers that all break off gave %v after %d requests", err, gets.Load())
	}
}

// Whoever may not see the uploads of others writes all the same.
func TestS3ThatDeniesTheListOfUploads(t *testing.T) {
	var denied atomic.Int64
	s := disturbed(t, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if r.Method == http.MethodGet && r.URL.Query().Has("uploads") {
			denied.Add(1)
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
			return
		}
		server.ServeHTTP(w, r)
	})
	data := string(large())
	put(t, s, "a", data)
	wantObject(t, s, "a", data)
	if denied.Load() != 1 {
		t.Errorf("it was denied %d times", denied.Load())
	}
}

// impatient returns the same store with connections that are given up soon, and so many attempts soon one after the
// other.
func impatient(t *testing.T, attempts int, s *S3) *S3 {
	s = NewS3(s3.New(s.client.Options(), func(o *s3.Options) {
		o.HTTPClient = &http.Client{Transport: httpClient(500 * time.Millisecond).GetTransport()}
		o.RetryMaxAttempts = attempts
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = attempts, 100*time.Millisecond })
	}), s.bucket, "")
	t.Cleanup(s.CloseIdleConnections)
	return s
}

// A connection that stands still is given up, before the answer or in the middle of it.
func TestS3ThatStalls(t *testing.T) {
	var requests atomic.Int64
	over := make(chan struct{})
	s := impatient(t, 6, disturbed(t, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		switch requests.Add(1) % 4 {
		case 1:
			stand(over)
		case 2:
			if r.Method == http.MethodGet {
				w = &stalling{w, 500, over}
			}
			server.ServeHTTP(w, r)
		default:
			server.ServeHTTP(w, r)
		}
	}))
	defer close(over)
	for _, size := range []int{1000, 2*firstParts + 123} {
		data := string(large()[:size])
		put(t, s, "a", data)
		wantObject(t, s, "a", data)
	}
	wantNoUploads(t, s)
	if n := requests.Load(); n > 60 {
		t.Errorf("%d requests were made", n)
	}
}

func TestS3ThatStallsForEver(t *testing.T) {
	var requests atomic.Int64
	over := make(chan struct{})
	s := impatient(t, 3, disturbed(t, func(http.ResponseWriter, *http.Request, http.Handler) {
		requests.Add(1)
		stand(over)
	}))
	defer close(over)
	_, err := s.Open(t.Context(), "a")
	if fault.Of(err) != fault.Transient || !strings.Contains(err.Error(), s.URL("a")) {
		t.Errorf("Open gave %v, of kind %s", err, fault.Of(err))
	}
	if n := requests.Load(); n != 3 {
		t.Errorf("%d requests were made", n)
	}
}

// stand waits for the end of a test.
func stand(over chan struct{}) { <-over }

// stalling passes some bytes of an answer on, and then no more.
type stalling struct {
	http.ResponseWriter
	left int
	over chan struct{}
}

func (s *stalling) Write(p []byte) (int, error) {
	if len(p) > s.left {
		s.ResponseWriter.Write(p[:s.left])
		s.ResponseWriter.(http.Flusher).Flush()
		stand(s.over)
		panic(http.ErrAbortHandler)
	}
	s.left -= len(p)
	return s.ResponseWriter.Write(p)
}

func TestS3ThatStaysAwayFailsInTheEnd(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "2")
	var requests atomic.Int64
	s := disturbed(t, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		requests.Add(1)
		slowDown(w)
	})
	_, err := s.Open(t.Context(), "a")
	if fault.Of(err) != fault.Transient || !strings.Contains(err.Error(), "SlowDown") || !strings.Contains(err.Error(), s.URL("a")) {
		t.Errorf("Open gave %v, of kind %s", err, fault.Of(err))
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests were made", n)
	}
}

// The answer to a commit is lost on its way: the next attempt finds the object, or the upload gone, and must
// know its own work.
func TestS3CommitWhoseAnswerIsLost(t *testing.T) {
	var lost atomic.Bool
	s := disturbed(t, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		complete := r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
		put := r.Method == http.MethodPut && !r.URL.Query().Has("partNumber")
		if (complete || put) && lost.CompareAndSwap(false, true) {
			server.ServeHTTP(httptest.NewRecorder(), r)
			reset(w)
			return
		}
		server.ServeHTTP(w, r)
	})
	for name, data := range map[string]string{"small": "x", "large": string(large())} {
		for commit, end := range map[string]func(Writer) error{"new": Writer.CommitNew, "any": Writer.Commit} {
			name := name + "-" + commit
			lost.Store(false)
			w := create(t, s, name)
			if _, err := io.WriteString(w, data); err != nil {
				t.Fatal(err)
			}
			if err := end(w); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !lost.Load() {
				t.Errorf("%s: no answer was lost", name)
			}
			wantObject(t, s, name, data)
		}
	}
	w := create(t, s, "small-new")
	lost.Store(false)
	if err := w.CommitNew(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the object of another writer was taken for its own: %v", err)
	}
}
