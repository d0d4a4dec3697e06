// Package awstest runs compiled Lambda functions and a state machine on this machine, against implementations of
// AWS that are not ours: moto runs the state machine, and the functions talk to a server of the Runtime API as
// they do in Lambda.
package awstest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"helios/shared/process"
)

// Function is a Lambda function.
type Function struct {
	// Name stands in its ARN.
	Name string
	// Binary is the bootstrap.
	Binary string
	// Env is added to the environment that Lambda makes.
	Env []string
	// Concurrency is how many calls are served at once; more are throttled.
	Concurrency int
	// Timeout ends a call, MemoryMB is what the function is told that it has.
	Timeout  time.Duration
	MemoryMB int
}

// Lambda runs functions. Each environment is a process of its own, which serves one call at a time.
type Lambda struct {
	t         testing.TB
	functions map[string]*function
}

type function struct {
	Function
	lambda     *Lambda
	mu         sync.Mutex
	idle       []*environment
	serving    []*environment
	started    int // environments that were started
	calls      int
	maxServing int // that were served at once
}

// NewLambda returns a Lambda without functions. It ends with the test.
func NewLambda(t testing.TB) *Lambda {
	l := &Lambda{t: t, functions: map[string]*function{}}
	t.Cleanup(func() {
		for _, f := range l.functions {
			f.mu.Lock()
			for _, e := range f.idle {
				e.stop()
			}
			f.mu.Unlock()
		}
	})
	return l
}

// Add deploys a function.
func (l *Lambda) Add(f Function) {
	l.functions[f.Name] = &function{Function: f, lambda: l}
}

// Function returns a function as it was deployed.
func (l *Lambda) Function(name string) Function { return l.functions[name].Function }

// SetTimeout changes the time that the calls of a function have.
func (l *Lambda) SetTimeout(name string, timeout time.Duration) {
	f := l.functions[name]
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Timeout = timeout
}

// Calls returns how often a function was called.
func (l *Lambda) Calls(name string) int {
	f := l.functions[name]
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// MaxConcurrent returns how many calls of a function were served at once.
func (l *Lambda) MaxConcurrent(name string) int {
	f := l.functions[name]
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.maxServing
}

// Response is what a call of a function ended with.
type Response struct {
	Payload []byte
	// Failed says that the payload describes an error.
	Failed bool
	// Throttled says that the function was not called.
	Throttled bool
}

// ErrorType returns the name of an response's error.
func (a Response) ErrorType() string {
	var e struct {
		Type string `json:"errorType"`
	}
	_ = json.Unmarshal(a.Payload, &e)
	return e.Type
}

// Invoke calls a function and waits for its response.
func (l *Lambda) Invoke(ctx context.Context, name string, payload []byte) (Response, error) {
	f, ok := l.functions[name]
	if !ok {
		return Response{}, fmt.Errorf("there is no function %q", name)
	}
	e, err := f.acquire()
	if err != nil {
		return Response{}, err
	}
	if e == nil {
		return Response{Throttled: true}, nil
	}
	response, alive := e.call(ctx, payload, f.Timeout)
	f.release(e, alive)
	return response, nil
}

// take returns an environment, a new one if all are busy, and nil if there are too many.
func (f *function) acquire() (*environment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.serving) >= f.Concurrency {
		return nil, nil
	}
	f.calls++
	var e *environment
	if n := len(f.idle); n > 0 {
		e, f.idle = f.idle[n-1], f.idle[:n-1]
	} else {
		f.started++
		var err error
		if e, err = f.start(f.started); err != nil {
			return nil, err
		}
	}
	f.serving = append(f.serving, e)
	f.maxServing = max(f.maxServing, len(f.serving))
	return e, nil
}

func (f *function) release(e *environment, alive bool) {
	if !alive {
		e.stop()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serving = slices.DeleteFunc(f.serving, func(s *environment) bool { return s == e })
	if alive {
		f.idle = append(f.idle, e)
	}
}

// environment is a process that serves calls, and the server of the Runtime API that it asks for them.
type environment struct {
	api     *httptest.Server
	process *process.Process
	next    chan call
	ended   chan struct{} // closed when the test has no more calls for it
	temp    string

	connections atomic.Int64 // to the Runtime API

	mu      sync.Mutex
	current *call
}

type call struct {
	id       string
	payload  []byte
	deadline time.Time
	arn      string
	response chan Response
}

func (f *function) start(number int) (*environment, error) {
	e := &environment{next: make(chan call), ended: make(chan struct{})}
	e.api = httptest.NewUnstartedServer(e.handler())
	e.api.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			e.connections.Add(1)
		}
	}
	e.api.Start()
	tmp := f.lambda.t.TempDir()
	e.temp = tmp
	cmd := exec.Command(f.Binary)
	cmd.Dir = tmp
	cmd.Stdout = f.lambda.t.Output()
	cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(e.api.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=test/" + strconv.Itoa(number),
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=AKIATEST", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token",
		"PATH=" + os.Getenv("PATH"), "HOME=" + tmp, "TMPDIR=" + tmp,
	}, f.Env...)
	var err error
	if e.process, err = process.Start(cmd); err != nil {
		e.api.Close()
		return nil, err
	}
	return e, nil
}

// call serves one call. The environment does not live on after a call that ended it.
func (e *environment) call(ctx context.Context, payload []byte, timeout time.Duration) (Response, bool) {
	c := call{
		id:      fmt.Sprintf("%08x-0000-4000-8000-%012x", time.Now().UnixNano()&0xffffffff, time.Now().UnixNano()&0xffffffffffff),
		payload: payload, deadline: time.Now().Add(timeout), response: make(chan Response, 1),
		arn: "arn:aws:lambda:us-east-1:123456789012:function:x",
	}
	late := time.NewTimer(timeout)
	defer late.Stop()
	gone := Response{Failed: true, Payload: []byte(fmt.Sprintf(`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: %s Error: Runtime exited with error: signal: killed"}`, c.id))}
	select {
	case e.next <- c:
	case <-e.process.Done():
		return gone, false
	case <-ctx.Done():
		return gone, false
	}
	select {
	case a := <-c.response:
		return a, true
	case <-e.process.Done():
		return gone, false
	case <-late.C:
		return Response{Failed: true, Payload: []byte(fmt.Sprintf(`{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: %s Error: Task timed out after %.2f seconds"}`, c.id, timeout.Seconds()))}, false
	case <-ctx.Done():
		return gone, false
	}
}

func (e *environment) stop() {
	close(e.ended)
	e.process.Kill()
	e.api.Close()
}

// handler is the Runtime API, https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
func (e *environment) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case c := <-e.next:
			e.mu.Lock()
			e.current = &c
			e.mu.Unlock()
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", c.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(c.deadline.UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", c.arn)
			w.Write(c.payload)
		case <-e.ended:
		case <-r.Context().Done():
		}
	})
	end := func(failed bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			payload, err := io.ReadAll(r.Body)
			e.mu.Lock()
			defer e.mu.Unlock()
			if err != nil || e.current == nil || e.current.id != r.PathValue("id") {
				http.Error(w, `{"errorType":"InvalidRequestID"}`, http.StatusBadRequest)
				return
			}
			e.current.response <- Response{Payload: bytes.TrimSpace(payload), Failed: failed}
			e.current = nil
			w.WriteHeader(http.StatusAccepted)
		}
	}
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", end(false))
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", end(true))
	return mux
}

// Kill kills the processes of a function that are serving a call, as Lambda does when memory runs out.
func (l *Lambda) Kill(name string) {
	f := l.functions[name]
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.serving {
		e.process.Kill()
	}
}

// Environment is one that runs.
type Environment struct {
	PID int
	// Runtime is the address of its Runtime API, Connections how many connections came there.
	Runtime     string
	Connections int
	// Temp is its folder for temporary files.
	Temp string
}

// Environments returns those of a function that run, also those that serve no call.
func (l *Lambda) Environments(name string) (list []Environment) {
	f := l.functions[name]
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range slices.Concat(f.idle, f.serving) {
		list = append(list, Environment{
			PID: e.process.PID(), Runtime: strings.TrimPrefix(e.api.URL, "http://"), Connections: int(e.connections.Load()), Temp: e.temp,
		})
	}
	return list
}
