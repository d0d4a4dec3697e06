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

// handler handles a request to S3. It can pass the request to the server.
type handler func(w http.ResponseWriter, r *http.Request, server http.Handler)

// openS3ViaProxy returns a store in a new bucket. Its requests go to a proxy, which passes them to handle.
func openS3ViaProxy(t *testing.T, handle handler) *S3 {
	t.Helper()
	server := s3test.Start(t)
	to, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	forward := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // the signature includes it
	}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r, forward) }))
	t.Cleanup(transport.CloseIdleConnections)
	t.Cleanup(proxy.Close)
	server.Setenv(t)
	t.Setenv("AWS_ENDPOINT_URL", proxy.URL)
	s, err := OpenS3(t.Context(), server.Bucket(t), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.CloseIdleConnections)
	return s
}

// slowDown responds as S3 does when it throttles.
func slowDown(w http.ResponseWriter) {
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, "<Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>")
}

// reset resets the connection of a request.
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

// truncatedResponse sends some bytes of a response, then breaks the connection.
type truncatedResponse struct {
	http.ResponseWriter
	left int
}

func (c *truncatedResponse) Write(p []byte) (int, error) {
	if len(p) > c.left {
		c.ResponseWriter.Write(p[:c.left])
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	c.left -= len(p)
	return c.ResponseWriter.Write(p)
}

func TestS3RetriesThrottledAndBrokenRequests(t *testing.T) {
	var requests atomic.Int64
	s := openS3ViaProxy(t, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		switch requests.Add(1) % 5 {
		case 0:
			slowDown(w)
		case 2:
			reset(w)
		case 3:
			if r.Method == http.MethodGet {
				w = &truncatedResponse{w, 1 << 20}
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

// If a response breaks off, Open and ReadAt request the rest, even if the object is smaller than the requested range.
func TestS3TruncatedResponses(t *testing.T) {
	for _, size := range []int{1000, HeadSize + 1000} {
		var gets atomic.Int64
		s := openS3ViaProxy(t, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
			if r.Method == http.MethodGet && gets.Add(1)%2 == 1 {
				w = &truncatedResponse{w, 500}
			}
			server.ServeHTTP(w, r)
		})
		data := string(large()[:size])
		put(t, s, "a", data)
		wantObject(t, s, "a", data)
		if n := gets.Load(); n < 2 || n > 10 {
			t.Errorf("%d requests for %d bytes, want 2 to 10", n, size)
		}
	}
}

// A request is retried if its error response breaks off.
func TestS3TruncatedErrors(t *testing.T) {
	var gets atomic.Int64
	truncated := int64(1)
	s := openS3ViaProxy(t, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if r.Method == http.MethodGet && gets.Add(1) <= truncated {
			w = &truncatedResponse{w, 100}
		}
		server.ServeHTTP(w, r)
	})
	if _, err := s.Open(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of a missing object returned %v", err)
	}
	gets.Store(0)
	truncated = 100
	if _, err := s.Open(t.Context(), "a"); fault.Of(err) != fault.Transient || gets.Load() != rangeAttempts {
		t.Errorf("Open with truncated responses only returned %v after %d requests", err, gets.Load())
	}
}

// Writing works without the permission to list uploads.
func TestS3DeniedListOfUploads(t *testing.T) {
	var denied atomic.Int64
	s := openS3ViaProxy(t, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
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
		t.Errorf("the list was denied %d times, want once", denied.Load())
	}
}

// withShortTimeouts returns the same store with a stall timeout of 500 ms and short pauses between attempts.
func withShortTimeouts(t *testing.T, attempts int, s *S3) *S3 {
	s = NewS3(s3.New(s.client.Options(), func(o *s3.Options) {
		o.HTTPClient = &http.Client{Transport: httpClient(500 * time.Millisecond).GetTransport()}
		o.RetryMaxAttempts = attempts
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = attempts, 100*time.Millisecond
		})
	}), s.bucket, "")
	t.Cleanup(s.CloseIdleConnections)
	return s
}

// A request is retried if its connection stalls, before the response or within it.
func TestS3StalledConnections(t *testing.T) {
	var requests atomic.Int64
	over := make(chan struct{})
	s := withShortTimeouts(t, 6, openS3ViaProxy(t, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		switch requests.Add(1) % 4 {
		case 1:
			block(over)
		case 2:
			if r.Method == http.MethodGet {
				w = &stalledResponse{w, 500, over}
			}
			server.ServeHTTP(w, r)
		default:
			server.ServeHTTP(w, r)
		}
	}))
	defer close(over)
	for _, size := range []int{1000, 2*minPartSize + 123} {
		data := string(large()[:size])
		put(t, s, "a", data)
		wantObject(t, s, "a", data)
	}
	wantNoUploads(t, s)
	if n := requests.Load(); n > 60 {
		t.Errorf("%d requests, want at most 60", n)
	}
}

func TestS3AllConnectionsStall(t *testing.T) {
	var requests atomic.Int64
	over := make(chan struct{})
	s := withShortTimeouts(t, 3, openS3ViaProxy(t, func(http.ResponseWriter, *http.Request, http.Handler) {
		requests.Add(1)
		block(over)
	}))
	defer close(over)
	_, err := s.Open(t.Context(), "a")
	if fault.Of(err) != fault.Transient || !strings.Contains(err.Error(), s.URL("a")) {
		t.Errorf("Open returned %v, of kind %s", err, fault.Of(err))
	}
	if n := requests.Load(); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

// block blocks until the test ends.
func block(over chan struct{}) { <-over }

// stalledResponse sends some bytes of a response, then blocks.
type stalledResponse struct {
	http.ResponseWriter
	left int
	over chan struct{}
}

func (s *stalledResponse) Write(p []byte) (int, error) {
	if len(p) > s.left {
		s.ResponseWriter.Write(p[:s.left])
		s.ResponseWriter.(http.Flusher).Flush()
		block(s.over)
		panic(http.ErrAbortHandler)
	}
	s.left -= len(p)
	return s.ResponseWriter.Write(p)
}

func TestS3ThrottledUntilFailure(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "2")
	var requests atomic.Int64
	s := openS3ViaProxy(t, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		requests.Add(1)
		slowDown(w)
	})
	_, err := s.Open(t.Context(), "a")
	if fault.Of(err) != fault.Transient || !strings.Contains(err.Error(), "SlowDown") ||
		!strings.Contains(err.Error(), s.URL("a")) {
		t.Errorf("Open returned %v, of kind %s", err, fault.Of(err))
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// If the response to a commit is lost, the retry finds that the object exists or that the upload is gone. The writer
// must recognize the object as its own.
func TestS3LostCommitResponse(t *testing.T) {
	var lost atomic.Bool
	s := openS3ViaProxy(t, func(w http.ResponseWriter, r *http.Request, server http.Handler) {
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
				t.Errorf("%s: no response was lost", name)
			}
			wantObject(t, s, name, data)
		}
	}
	w := create(t, s, "small-new")
	lost.Store(false)
	if err := w.CommitNew(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("CommitNew with the object of another writer returned %v, want fs.ErrExist", err)
	}
}
