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
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"helios/shared/process"
)

// environment is a process that serves calls of a function, with its own server of Lambda's Runtime API.
type environment struct {
	api     *httptest.Server
	process *process.Process
	next    chan call
	ended   chan struct{} // closed when there are no more calls
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

// call serves one call. alive reports whether the environment can serve another one.
func (e *environment) call(ctx context.Context, payload []byte, timeout time.Duration) (_ Response, alive bool) {
	now := time.Now()
	c := call{
		id:      fmt.Sprintf("%08x-0000-4000-8000-%012x", now.UnixNano()&0xffffffff, now.UnixNano()&0xffffffffffff),
		payload: payload, deadline: now.Add(timeout), response: make(chan Response, 1),
		arn: "arn:aws:lambda:us-east-1:123456789012:function:x",
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	killed := failure("Runtime.ExitError", "RequestId: %s Error: Runtime exited with error: signal: killed", c.id)
	select {
	case e.next <- c:
	case <-e.process.Done():
		return killed, false
	case <-ctx.Done():
		return killed, false
	}
	select {
	case a := <-c.response:
		return a, true
	case <-e.process.Done():
		return killed, false
	case <-timer.C:
		return failure("Sandbox.Timedout", "RequestId: %s Error: Task timed out after %.2f seconds",
			c.id, timeout.Seconds()), false
	case <-ctx.Done():
		return killed, false
	}
}

// failure returns the response of Lambda to a call that ended with an error.
func failure(errorType, format string, args ...any) Response {
	payload, err := json.Marshal(map[string]string{
		"errorType": errorType, "errorMessage": fmt.Sprintf(format, args...),
	})
	if err != nil {
		panic(err)
	}
	return Response{Failed: true, Payload: payload}
}

func (e *environment) stop() {
	close(e.ended)
	e.process.Kill()
	e.api.Close()
}

// handler implements https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
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
