package awstest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Endpoint is the address of all AWS services. It invokes Lambda functions itself and forwards other requests to moto
// or to an S3 server.
type Endpoint struct {
	// URL is the value for AWS_ENDPOINT_URL.
	URL    string
	lambda *Lambda
	server *httptest.Server

	mu       sync.Mutex
	upstream *url.URL
	s3Fault  S3Fault
	events   []Event
}

// Event is an event on the event bus.
type Event struct {
	Source     string
	DetailType string
	Detail     string
}

func newEndpoint(t testing.TB, lambda *Lambda) *Endpoint {
	e := &Endpoint{lambda: lambda}
	e.server = httptest.NewServer(e)
	t.Cleanup(e.server.Close)
	e.URL = e.server.URL
	return e
}

// StartS3 starts an endpoint that provides only Lambda and, at the address server, S3. It stops when the test ends.
func StartS3(t testing.TB, lambda *Lambda, server string) *Endpoint {
	t.Helper()
	e := newEndpoint(t, lambda)
	var err error
	if e.upstream, err = url.Parse(server); err != nil {
		t.Fatal(err)
	}
	return e
}

// Events returns the events that were put on the event bus.
func (e *Endpoint) Events() []Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.events
}

func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, ok := invokedFunction(r.URL); ok {
		e.invoke(w, r, name)
		return
	}
	e.mu.Lock()
	upstream, fault := e.upstream, e.s3Fault
	e.mu.Unlock()
	if r.Header.Get("X-Amz-Target") == "AWSEvents.PutEvents" {
		e.recordEvents(r)
	}
	server := &httputil.ReverseProxy{ErrorLog: discardLog, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(upstream)
		p.Out.Host = p.In.Host // the signature covers it
	}}
	if fault != nil && service(r) == "s3" {
		fault(w, r, server)
	} else {
		server.ServeHTTP(w, r)
	}
}

// discardLog drops messages about clients that have disconnected.
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

func (e *Endpoint) recordEvents(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var put struct{ Entries []Event }
	_ = json.Unmarshal(body, &put)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, put.Entries...)
}

// invokedFunction returns the function that a request to Lambda's Invoke action names.
func invokedFunction(u *url.URL) (name string, ok bool) {
	arn, ok := strings.CutPrefix(u.Path, "/2015-03-31/functions/")
	arn, found := strings.CutSuffix(arn, "/invocations")
	return arn[strings.LastIndexByte(arn, ':')+1:], ok && found
}

func (e *Endpoint) invoke(w http.ResponseWriter, r *http.Request, name string) {
	w.Header().Set("X-Amzn-RequestId", rand.Text())
	payload, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	response, err := e.lambda.Invoke(r.Context(), name, payload)
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
