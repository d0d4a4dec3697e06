package awstest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Function is a Lambda function.
type Function struct {
	Name   string
	Binary string // file of the bootstrap program
	// Env is added to Lambda's environment variables.
	Env []string
	// Concurrency is how many calls run at once. More calls are throttled.
	Concurrency int
	Timeout     time.Duration // of a call
	// MemoryMB is reported to the function and not enforced.
	MemoryMB int
}

// Lambda runs functions. Each environment is a process that serves one call at a time.
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
	maxServing int // highest length of serving
}

// NewLambda returns a Lambda without functions. It stops all processes when the test ends.
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

// Function returns a deployed function.
func (l *Lambda) Function(name string) Function { return l.functions[name].Function }

// SetTimeout changes the timeout of a function.
func (l *Lambda) SetTimeout(name string, timeout time.Duration) {
	f := l.functions[name]
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Timeout = timeout
}

// Calls returns the number of calls of a function. Throttled calls do not count.
func (l *Lambda) Calls(name string) int {
	f := l.functions[name]
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// MaxConcurrent returns the highest number of calls of a function that ran at once.
func (l *Lambda) MaxConcurrent(name string) int {
	f := l.functions[name]
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.maxServing
}

// Response is the response to a call.
type Response struct {
	Payload []byte
	// Failed reports that the payload describes an error.
	Failed bool
	// Throttled reports that the function was not called.
	Throttled bool
}

// ErrorType returns the name of the error.
func (a Response) ErrorType() string {
	var e struct {
		Type string `json:"errorType"`
	}
	_ = json.Unmarshal(a.Payload, &e)
	return e.Type
}

// Invoke calls a function and waits for the response.
func (l *Lambda) Invoke(ctx context.Context, name string, payload []byte) (Response, error) {
	f, ok := l.functions[name]
	if !ok {
		return Response{}, fmt.Errorf("the function %q does not exist", name)
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

// acquire returns an idle or a new environment, or nil if the function is throttled.
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

// Kill kills the processes of a function that serve a call, as Lambda does when memory runs out.
func (l *Lambda) Kill(name string) {
	f := l.functions[name]
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.serving {
		e.process.Kill()
	}
}

// Environment is a running environment of a function.
type Environment struct {
	PID int
	// Runtime is the address of its Runtime API, Connections the number of connections to it.
	Runtime     string
	Connections int
	Temp        string // folder of temporary files
}

// Environments returns the environments of a function, including idle ones.
func (l *Lambda) Environments(name string) (list []Environment) {
	f := l.functions[name]
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range slices.Concat(f.idle, f.serving) {
		list = append(list, Environment{
			PID: e.process.PID(), Temp: e.temp,
			Runtime: strings.TrimPrefix(e.api.URL, "http://"), Connections: int(e.connections.Load()),
		})
	}
	return list
}
