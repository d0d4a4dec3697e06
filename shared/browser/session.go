package browser

import (
	"context"
	"fmt"
	"sync"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Session sends commands to one target of Chromium and receives its events.
type Session struct {
	conn *connection
	id   target.SessionID

	mu       sync.Mutex
	handlers map[cdproto.MethodType]func(jsonv2.Value)
	done     chan struct{} // closed when err is set
	err      error
}

// end ends the session. Later calls do nothing.
func (s *Session) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		close(s.done)
	}
}

// Done is closed when the target crashes or Chromium exits. Err returns the reason.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns the reason why the session ended, a fault.Transient, or nil if it has not ended.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Call sends a command and waits for its result. If the session ends, the error wraps [Session.Err]; if ctx ends first,
// the error wraps the cause of ctx.
func Call[P, R any](ctx context.Context, s *Session, command cdp.Command[P, R], params P) (R, error) {
	return Send(ctx, s, command, params).Wait(ctx)
}

// Send sends a command without waiting for its result. Chromium executes the commands of a session in the order of the
// calls, so several commands can share a round trip.
func Send[P, R any](ctx context.Context, s *Session, command cdp.Command[P, R], params P) *Future[R] {
	f := &Future[R]{session: s, method: command.Method, response: make(chan *cdproto.Message, 1)}
	f.err = f.send(ctx, params)
	return f
}

// Future is the result of a command that [Send] sent.
type Future[R any] struct {
	session  *Session
	method   string
	id       int64
	response chan *cdproto.Message
	err      error // why the command was not sent
}

func (f *Future[R]) send(ctx context.Context, params any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	encoded, err := jsonv2.Marshal(params, chromedp.DefaultMarshalOptions)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", f.method, err)
	}
	conn := f.session.conn
	f.id = conn.addPending(f.response)
	msg := &cdproto.Message{
		ID: f.id, SessionID: f.session.id, Method: cdproto.MethodType(f.method), Params: encoded,
	}
	select {
	case conn.out <- msg:
		return nil
	case <-f.session.done:
		err = fmt.Errorf("%s: %w", f.method, f.session.Err())
	case <-ctx.Done():
		err = fmt.Errorf("sending %s: %w", f.method, context.Cause(ctx))
	}
	conn.removePending(f.id)
	return err
}

// Ready reports whether Wait returns without blocking.
func (f *Future[R]) Ready() bool { return f.err != nil || len(f.response) > 0 }

// Wait waits for the result. The errors are those of [Call]. Wait must be called at most once.
func (f *Future[R]) Wait(ctx context.Context) (result R, err error) {
	if f.err != nil {
		return result, f.err
	}
	defer f.session.conn.removePending(f.id)
	select {
	case <-ctx.Done():
		return result, fmt.Errorf("waiting for %s: %w", f.method, context.Cause(ctx))
	case <-f.session.done:
		return result, fmt.Errorf("%s: %w", f.method, f.session.Err())
	case msg := <-f.response:
		if msg.Error != nil {
			return result, fmt.Errorf("%s: %w", f.method, msg.Error)
		}
		if err := jsonv2.Unmarshal(msg.Result, &result, chromedp.DefaultUnmarshalOptions); err != nil {
			return result, fmt.Errorf("decoding the response to %s: %w", f.method, err)
		}
		return result, nil
	}
}

// On registers a handler for an event and replaces the earlier one. Handlers run one at a time, in the order of the
// events. A handler must not wait for a response from Chromium.
func On[T any](s *Session, event cdp.Event[T], handle func(T)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[cdproto.MethodType(event.Method)] = func(params jsonv2.Value) {
		var payload T
		if jsonv2.Unmarshal(params, &payload, chromedp.DefaultUnmarshalOptions) == nil {
			handle(payload)
		}
	}
}

func (s *Session) dispatch(msg *cdproto.Message) {
	s.mu.Lock()
	handle := s.handlers[msg.Method]
	s.mu.Unlock()
	if handle != nil {
		handle(msg.Params)
	}
}
