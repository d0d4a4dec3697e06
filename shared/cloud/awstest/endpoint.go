package awstest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Endpoint is the one address of all services: it calls functions itself and hands everything else on to moto, or to
// the S3 server that it stands before.
type Endpoint struct {
	// URL is for AWS_ENDPOINT_URL.
	URL    string
	lambda *Lambda
	server *httptest.Server

	mu       sync.Mutex
	upstream *url.URL
	s3Fault  S3Fault
	events   []Event
}

// S3Fault answers a request to S3, or has the server response it.
type S3Fault func(w http.ResponseWriter, r *http.Request, server http.Handler)

// Event is what was put onto the event bus.
type Event struct {
	Source     string
	DetailType string
	Detail     string
}

func newEndpoint(t testing.TB, lambda *Lambda) *Endpoint {
	f := &Endpoint{lambda: lambda}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	f.URL = f.server.URL
	return f
}

// StartS3 starts a front before an S3 server, without the other services. It ends with the test.
func StartS3(t testing.TB, lambda *Lambda, server string) *Endpoint {
	t.Helper()
	f := newEndpoint(t, lambda)
	var err error
	if f.upstream, err = url.Parse(server); err != nil {
		t.Fatal(err)
	}
	return f
}

// Fail makes S3 response 503 SlowDown to the requests that a function chooses. It is told of all, and may do
// something else meanwhile.
func (f *Endpoint) FailS3(choose func(*http.Request) bool) {
	f.InjectS3Fault(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if choose(r) {
			SlowDown(w, r)
		} else {
			server.ServeHTTP(w, r)
		}
	})
}

// InjectS3Fault has all requests to S3 pass through d; nil ends that.
func (f *Endpoint) InjectS3Fault(d S3Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.s3Fault = d
}

// SlowDown answers as S3 does when there are too many requests.
func SlowDown(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
}

// Reset breaks the connection of a request.
func Reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// Stall leaves a request without an response until whoever made it gives up.
func Stall(r *http.Request) {
	io.Copy(io.Discard, r.Body) // or its end would not be noticed
	<-r.Context().Done()
}

// Cut returns a writer that passes so many bytes of an response on and then breaks the connection.
func Truncate(w http.ResponseWriter, bytes int) http.ResponseWriter {
	return &truncatingWriter{w, bytes}
}

type truncatingWriter struct {
	http.ResponseWriter
	left int
}

func (c *truncatingWriter) Write(p []byte) (int, error) {
	if len(p) <= c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	c.ResponseWriter.Write(p[:c.left])
	http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// Events returns what was put onto the event bus.
func (f *Endpoint) Events() []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.events
}

func (f *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, ok := invokedFunction(r.URL); ok {
		f.invoke(w, r, name)
		return
	}
	f.mu.Lock()
	upstream, s3Fault := f.upstream, f.s3Fault
	f.mu.Unlock()
	if r.Header.Get("X-Amz-Target") == "AWSEvents.PutEvents" {
		f.recordEvents(r)
	}
	server := &httputil.ReverseProxy{ErrorLog: discardLog, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(upstream)
		p.Out.Host = p.In.Host // which is signed
	}}
	if s3Fault != nil && service(r) == "s3" {
		s3Fault(w, r, server)
	} else {
		server.ServeHTTP(w, r)
	}
}

// discardLog is where a proxy says that a caller went away.
var discardLog = log.New(io.Discard, "", 0)

// service returns the service that a request was signed for.
func service(r *http.Request) string {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(scope, "/")
	if len(parts) < 4 {
		return ""
	}
	return parts[3]
}

func (f *Endpoint) recordEvents(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var put struct{ Entries []Event }
	_ = json.Unmarshal(body, &put)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, put.Entries...)
}

// invoked returns the function that a request of Lambda's Invoke is for.
func invokedFunction(u *url.URL) (name string, ok bool) {
	arn, ok := strings.CutPrefix(u.Path, "/2015-03-31/functions/")
	arn, is := strings.CutSuffix(arn, "/invocations")
	return arn[strings.LastIndexByte(arn, ':')+1:], ok && is
}

func (f *Endpoint) invoke(w http.ResponseWriter, r *http.Request, name string) {
	w.Header().Set("X-Amzn-RequestId", rand.Text())
	payload, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	response, err := f.lambda.Invoke(r.Context(), name, payload)
	switch {
	case err != nil:
		w.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
		w.WriteHeader(http.StatusNotFound)
		json.NewEncoder(w).Encode(map[string]string{"Message": err.Error()})
		return
	case response.Throttled:
		w.Header().Set("X-Amzn-ErrorType", "TooManyRequestsException")
		w.WriteHeader(http.StatusTooManyRequests)
		io.WriteString(w, `{"Reason":"ConcurrentInvocationLimitExceeded","Message":"Rate Exceeded."}`)
		return
	case response.Failed:
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
	}
	w.Write(response.Payload)
}
