package browser

import (
	"context"
	"sync"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"helios/shared/fault"
)

// connection multiplexes the commands and events of all sessions over one pipe to Chromium.
//
// Of chromedp, it uses only the pipe and the types. chromedp's Browser and Target track the DOM, which takes time in
// every frame.
type connection struct {
	pipe   *chromedp.PipeConn
	out    chan *cdproto.Message // commands to write
	closed chan struct{}         // closed when the pipe breaks

	mu       sync.Mutex
	lastID   int64
	pending  map[int64]chan *cdproto.Message // the receivers of responses, by command ID
	sessions map[target.SessionID]*Session
}

func newConnection(pipe *chromedp.PipeConn) *connection {
	return &connection{
		pipe:     pipe,
		out:      make(chan *cdproto.Message, 16),
		closed:   make(chan struct{}),
		pending:  map[int64]chan *cdproto.Message{},
		sessions: map[target.SessionID]*Session{},
	}
}

// read dispatches messages until the pipe breaks because Chromium exited.
func (c *connection) read() {
	defer c.disconnect()
	for {
		msg := new(cdproto.Message)
		if err := c.pipe.Read(context.Background(), msg); err != nil {
			return
		}
		c.mu.Lock()
		if msg.ID != 0 {
			response := c.pending[msg.ID]
			delete(c.pending, msg.ID)
			c.mu.Unlock()
			if response != nil {
				response <- msg
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

// write writes commands until the pipe breaks. If Chromium hangs, a write can block until Chromium is killed.
func (c *connection) write() {
	for {
		select {
		case msg := <-c.out:
			if c.pipe.Write(context.Background(), msg) != nil {
				c.disconnect()
				return
			}
		case <-c.closed:
			return
		}
	}
}

var errDisconnected = fault.Transientf("chromium exited unexpectedly, perhaps because memory ran out")

// disconnect ends all sessions.
func (c *connection) disconnect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isClosed() {
		return
	}
	close(c.closed)
	for _, s := range c.sessions {
		s.end(errDisconnected)
	}
}

func (c *connection) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// newSession adds a session. The ID of the browser's own session is empty.
func (c *connection) newSession(id target.SessionID) *Session {
	s := &Session{conn: c, id: id, handlers: map[cdproto.MethodType]func(jsonv2.Value){}, done: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions[id] = s
	if c.isClosed() {
		s.end(errDisconnected)
	}
	return s
}

func (c *connection) removeSession(id target.SessionID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sessions, id)
}

// addPending returns a new command ID and registers the channel that receives its response.
func (c *connection) addPending(response chan *cdproto.Message) (id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastID++
	c.pending[c.lastID] = response
	return c.lastID
}

func (c *connection) removePending(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}
