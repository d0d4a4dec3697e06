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
	out  chan *cdproto.Message // to be written
	gone chan struct{}         // closed when the pipe broke

	mu       sync.Mutex
	nextID   int64
	pending  map[int64]chan *cdproto.Message
	sessions map[target.SessionID]*Session
}

func newConnection(pipe *chromedp.PipeConn) *connection {
	return &connection{
		pipe:     pipe,
		out:      make(chan *cdproto.Message, 16),
		gone:     make(chan struct{}),
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

// write writes messages until the pipe breaks. A Chromium that hangs does not read, and a write waits then until it
// is killed.
func (c *connection) write() {
	for {
		select {
		case msg := <-c.out:
			if c.pipe.Write(context.Background(), msg) != nil {
				c.lose()
				return
			}
		case <-c.gone:
			return
		}
	}
}

// errGone says that there is no Chromium to talk to any more.
var errGone = fault.Transientf("chromium went away, perhaps for lack of memory")

// lose tells everybody that Chromium is gone.
func (c *connection) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost() {
		return
	}
	close(c.gone)
	for _, s := range c.sessions {
		s.end(errGone)
	}
}

func (c *connection) lost() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// session returns a new session with an id, which is empty for the browser itself.
func (c *connection) session(id target.SessionID) *Session {
	s := &Session{conn: c, id: id, handlers: map[cdproto.MethodType]func(jsonv2.Value){}, dead: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions[id] = s
	if c.lost() {
		s.end(errGone)
	}
	return s
}

// expect has the answer to a command handed out, and returns the number that the command is to have.
func (c *connection) expect(answer chan *cdproto.Message) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nextID++
	c.pending[c.nextID] = answer
	return c.nextID
}

func (c *connection) unexpect(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
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

// Done is closed when the target cannot go on; DeathCause says why.
func (s *Session) Done() <-chan struct{} { return s.dead }

// Err returns why the target cannot go on, a classified error; nil while it can.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// Call sends a command and waits for its result. When the target is gone the error is its DeathCause; when
// ctx ends first, ctx's error.
func Call[P, R any](ctx context.Context, s *Session, command cdp.Command[P, R], params P) (R, error) {
	return Send(ctx, s, command, params).Wait(ctx)
}

// Send sends a command and does not wait for its result. Chromium takes up the commands of a session in the order in
// which they were sent, so that several can go in one round trip.
func Send[P, R any](ctx context.Context, s *Session, command cdp.Command[P, R], params P) *Future[R] {
	sent := &Future[R]{session: s, method: command.Method, answer: make(chan *cdproto.Message, 1)}
	sent.err = sent.send(ctx, params)
	return sent
}

// Future is a command that is under way.
type Future[R any] struct {
	session *Session
	method  string
	id      int64
	answer  chan *cdproto.Message
	err     error // why it could not be sent
}

func (c *Future[R]) send(ctx context.Context, params any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	encoded, err := jsonv2.Marshal(params, chromedp.DefaultMarshalOptions)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", c.method, err)
	}
	conn := c.session.conn
	c.id = conn.expect(c.answer)
	select {
	case conn.out <- &cdproto.Message{ID: c.id, SessionID: c.session.id, Method: cdproto.MethodType(c.method), Params: encoded}:
		return nil
	case <-c.session.dead:
		err = fmt.Errorf("%s: %w", c.method, c.session.Err())
	case <-ctx.Done():
		err = fmt.Errorf("sending %s: %w", c.method, context.Cause(ctx))
	}
	conn.unexpect(c.id)
	return err
}

// Ready reports whether Wait would return at once.
func (c *Future[R]) Ready() bool { return c.err != nil || len(c.answer) > 0 }

// Wait waits for the result, as [Call] does. It is called once.
func (c *Future[R]) Wait(ctx context.Context) (result R, err error) {
	if c.err != nil {
		return result, c.err
	}
	defer c.session.conn.unexpect(c.id)
	select {
	case <-ctx.Done():
		return result, fmt.Errorf("waiting for %s: %w", c.method, context.Cause(ctx))
	case <-c.session.dead:
		return result, fmt.Errorf("%s: %w", c.method, c.session.Err())
	case msg := <-c.answer:
		if msg.Error != nil {
			return result, fmt.Errorf("%s: %w", c.method, msg.Error)
		}
		if err := jsonv2.Unmarshal(msg.Result, &result, chromedp.DefaultUnmarshalOptions); err != nil {
			return result, fmt.Errorf("decoding the answer to %s: %w", c.method, err)
		}
		return result, nil
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
