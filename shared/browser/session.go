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

	"helios/shared/fault"
)

// connection carries the commands and events of all sessions over the one pipe to Chromium.
//
// chromedp's own Browser and Target follow the DOM of a page and so cost time in every frame; of chromedp
// we use the pipe and the types.
type connection struct {
	pipe *chromedp.PipeConn

	mu       sync.Mutex
	nextID   int64
	pending  map[int64]chan *cdproto.Message
	sessions map[target.SessionID]*Session
	lost     bool // the pipe broke
}

func newConnection(pipe *chromedp.PipeConn) *connection {
	return &connection{
		pipe:     pipe,
		pending:  map[int64]chan *cdproto.Message{},
		sessions: map[target.SessionID]*Session{},
	}
}

// read hands out messages until the pipe breaks, which it does when Chromium ends.
func (c *connection) read() {
	defer c.lose()
	for {
		msg := new(cdproto.Message)
		if err := c.pipe.Read(context.Background(), msg); err != nil {
			return
		}
		c.mu.Lock()
		if msg.ID != 0 {
			answer := c.pending[msg.ID]
			delete(c.pending, msg.ID)
			c.mu.Unlock()
			if answer != nil {
				answer <- msg
			}
			continue
		}
		s := c.sessions[msg.SessionID]
		c.mu.Unlock()
		if s != nil {
			s.dispatch(msg)
		}
	}
}

// errGone says that there is no Chromium to talk to any more.
var errGone = fault.Transientf("chromium went away, perhaps for lack of memory")

// lose tells everybody that Chromium is gone.
func (c *connection) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = true
	for _, s := range c.sessions {
		s.end(errGone)
	}
}

// session returns a new session with an id, which is empty for the browser itself.
func (c *connection) session(id target.SessionID) *Session {
	s := &Session{conn: c, id: id, handlers: map[cdproto.MethodType]func(jsonv2.Value){}, dead: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions[id] = s
	if c.lost {
		s.end(errGone)
	}
	return s
}

func (c *connection) forget(id target.SessionID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sessions, id)
}

// Session sends commands to one target of Chromium and hears its events.
type Session struct {
	conn *connection
	id   target.SessionID

	mu       sync.Mutex
	handlers map[cdproto.MethodType]func(jsonv2.Value)
	dead     chan struct{} // closed when cause is set
	cause    error
}

// end notes why the target cannot go on. The first cause counts.
func (s *Session) end(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.cause = cause
		close(s.dead)
	}
}

// Dead is closed when the target cannot go on; DeathCause says why.
func (s *Session) Dead() <-chan struct{} { return s.dead }

// DeathCause returns why the target cannot go on, a classified error; nil while it can.
func (s *Session) DeathCause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// Call sends a command and waits for its result. When the target is gone the error is its DeathCause; when
// ctx ends first, ctx's error.
func Call[P, R any](ctx context.Context, s *Session, command cdp.Command[P, R], params P) (R, error) {
	var result R
	err := s.call(ctx, command.Method, params, &result)
	return result, err
}

func (s *Session) call(ctx context.Context, method string, params, result any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	encoded, err := jsonv2.Marshal(params, chromedp.DefaultMarshalOptions)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", method, err)
	}
	c := s.conn
	answer := make(chan *cdproto.Message, 1)
	c.mu.Lock()
	c.nextID++
	id := c.nextID
	c.pending[id] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.pending, id)
		c.mu.Unlock()
	}()

	// A Chromium that hangs does not read, and then a write waits for ever once the pipe is full.
	go func() {
		if c.pipe.Write(ctx, &cdproto.Message{ID: id, SessionID: s.id, Method: cdproto.MethodType(method), Params: encoded}) != nil {
			c.lose()
		}
	}()
	select {
	case <-ctx.Done():
		return fmt.Errorf("waiting for %s: %w", method, context.Cause(ctx))
	case <-s.dead:
		return fmt.Errorf("%s: %w", method, s.DeathCause())
	case msg := <-answer:
		if msg.Error != nil {
			return fmt.Errorf("%s: %w", method, msg.Error)
		}
		if err := jsonv2.Unmarshal(msg.Result, result, chromedp.DefaultUnmarshalOptions); err != nil {
			return fmt.Errorf("decoding the answer to %s: %w", method, err)
		}
		return nil
	}
}

// On calls handle with the payload of each event of a kind. Handlers run one after the other, in the order
// of the events, and must not wait for an answer from Chromium.
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
