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
	lost     chan struct{} // closed when the pipe broke
}

func newConnection(pipe *chromedp.PipeConn) *connection {
	return &connection{
		pipe:     pipe,
		pending:  map[int64]chan *cdproto.Message{},
		sessions: map[target.SessionID]*Session{},
		lost:     make(chan struct{}),
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

// lose tells everybody that Chromium is gone.
func (c *connection) lose() {
	close(c.lost)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sessions {
		if s.lost != nil {
			s.lost()
		}
	}
}

// session returns the session with an id, which is empty for the browser itself.
func (c *connection) session(id target.SessionID) *Session {
	s := &Session{conn: c, id: id, handlers: map[cdproto.MethodType]func(jsonv2.Value){}}
	c.mu.Lock()
	c.sessions[id] = s
	c.mu.Unlock()
	return s
}

func (c *connection) forget(id target.SessionID) {
	c.mu.Lock()
	delete(c.sessions, id)
	c.mu.Unlock()
}

// Session sends commands to one target of Chromium and hears its events.
type Session struct {
	conn *connection
	id   target.SessionID

	mu       sync.Mutex
	handlers map[cdproto.MethodType]func(jsonv2.Value)
	lost     func() // called once when Chromium is gone; nil for nothing
}

// Call sends a command and waits for its result. When Chromium is gone the error is a fault.Transient;
// when ctx ends first, ctx's error.
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

	msg := &cdproto.Message{ID: id, SessionID: s.id, Method: cdproto.MethodType(method), Params: encoded}
	if err := c.pipe.Write(ctx, msg); err != nil {
		return fault.Transientf("chromium went away before %s: %w", method, err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("waiting for %s: %w", method, context.Cause(ctx))
	case <-c.lost:
		return fault.Transientf("chromium went away during %s", method)
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
