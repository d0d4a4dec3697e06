package awstest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Front is the one address of all services: it calls functions itself and hands everything else on to moto.
type Front struct {
	// URL is for AWS_ENDPOINT_URL.
	URL    string
	lambda *Lambda
	server *httptest.Server

	mu     sync.Mutex
	moto   *url.URL
	fail   func(*http.Request) bool
	events []Event
}

// Event is what was put onto the event bus.
type Event struct {
	Source     string
	DetailType string
	Detail     string
}

func newFront(t testing.TB, lambda *Lambda) *Front {
	f := &Front{lambda: lambda}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	f.URL = f.server.URL
	return f
}

// Fail makes S3 answer 503 SlowDown to the requests that a function chooses. It is told of all, and may do
// something else meanwhile.
func (f *Front) Fail(choose func(*http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = choose
}

// Events returns what was put onto the event bus.
func (f *Front) Events() []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.events
}

func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, ok := invoked(r.URL); ok {
		f.invoke(w, r, name)
		return
	}
	f.mu.Lock()
	moto, fail := f.moto, f.fail
	f.mu.Unlock()
	if fail != nil && service(r) == "s3" && fail(r) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
		return
	}
	if r.Header.Get("X-Amz-Target") == "AWSEvents.PutEvents" {
		f.note(r)
	}
	proxy := httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(moto)
		p.Out.Host = p.In.Host // which is signed
	}}
	proxy.ServeHTTP(w, r)
}

// service returns the service that a request was signed for.
func service(r *http.Request) string {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(scope, "/")
	if len(parts) < 4 {
		return ""
	}
	return parts[3]
}

func (f *Front) note(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var put struct{ Entries []Event }
	_ = json.Unmarshal(body, &put)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, put.Entries...)
}

// invoked returns the function that a request of Lambda's Invoke is for.
func invoked(u *url.URL) (name string, ok bool) {
	arn, ok := strings.CutPrefix(u.Path, "/2015-03-31/functions/")
	arn, is := strings.CutSuffix(arn, "/invocations")
	return arn[strings.LastIndexByte(arn, ':')+1:], ok && is
}

func (f *Front) invoke(w http.ResponseWriter, r *http.Request, name string) {
	w.Header().Set("X-Amzn-RequestId", rand.Text())
	payload, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := f.lambda.Invoke(r.Context(), name, payload)
	switch {
	case err != nil:
		w.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
		w.WriteHeader(http.StatusNotFound)
		json.NewEncoder(w).Encode(map[string]string{"Message": err.Error()})
		return
	case answer.Throttled:
		w.Header().Set("X-Amzn-ErrorType", "TooManyRequestsException")
		w.WriteHeader(http.StatusTooManyRequests)
		io.WriteString(w, `{"Reason":"ConcurrentInvocationLimitExceeded","Message":"Rate Exceeded."}`)
		return
	case answer.Failed:
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
	}
	w.Write(answer.Payload)
}
