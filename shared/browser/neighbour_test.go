package browser

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync/atomic"
	"testing"

	_ "embed"
)

//go:embed testdata/attempts.js
var attempts string

// secrets are files that a page must not get at. They are real ones, so that a page that does get at them
// can tell.
var secrets = map[string]string{
	"secret.txt":   "the text of a secret",
	"secret.html":  `<script>(parent === window ? opener : parent).postMessage(location.hash.slice(1), "*")</script>`,
	"secret.js":    "",
	"secret.css":   ":root { --secret: 1 }",
	"secret.png":   unbase64("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="),
	"secret.wav":   "RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x08\x00\x00\x00\x80\x80\x80\x80\x80\x80\x80\x80",
	"secret.woff2": "",
}

func unbase64(text string) string {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// neighbour is something else that listens on this machine. It would give its secrets to everybody.
type neighbour struct {
	*httptest.Server
	port     string
	contacts atomic.Int64 // connections and packets, of whatever kind
}

func newNeighbour(t *testing.T, secure bool) *neighbour {
	t.Helper()
	n := &neighbour{}
	n.Server = httptest.NewUnstartedServer(http.HandlerFunc(n.serve))
	n.Listener = counting{n.Listener, &n.contacts}
	n.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		n.StartTLS()
	} else {
		n.Start()
	}
	t.Cleanup(n.Close)
	_, n.port, _ = net.SplitHostPort(n.Listener.Addr().String())

	// The same port of the other loopback address, and the same one for UDP.
	six, err := net.Listen("tcp6", "[::1]:"+n.port)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: n.Config.Handler}
	go server.Serve(counting{six, &n.contacts})
	t.Cleanup(func() { server.Close() })
	packets, err := net.ListenPacket("udp4", "127.0.0.1:"+n.port)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			if _, _, err := packets.ReadFrom(make([]byte, 1500)); err != nil {
				return
			}
			n.contacts.Add(1)
		}
	}()
	t.Cleanup(func() { packets.Close() })
	return n
}

// wantAlone fails the test when anybody got through to the neighbour.
func (n *neighbour) wantAlone(t *testing.T) {
	t.Helper()
	if count := n.contacts.Load(); count > 0 {
		t.Errorf("%d connections or packets reached another port of this machine", count)
	}
}

func (n *neighbour) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Timing-Allow-Origin", "*")
	if target, ok := strings.CutPrefix(r.URL.Path, "/to/"); ok { // /to/http://other/name
		http.Redirect(w, r, target, http.StatusFound)
		return
	}
	name := path.Base(r.URL.Path)
	switch name {
	case "secret.events":
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: secret\n\n")
	case "secret.socket":
		acceptSocket(w, r)
	case "attempts.html":
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html><body><script>%s</script>", attempts)
	default:
		text, ok := secrets[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", types[path.Ext(name)])
		fmt.Fprint(w, text)
	}
}

var types = map[string]string{
	".txt": "text/plain", ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".png": "image/png", ".wav": "audio/wav", ".woff2": "font/woff2",
}

// acceptSocket opens a web socket and says goodbye.
func acceptSocket(w http.ResponseWriter, r *http.Request) {
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(buf, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	buf.Write([]byte{0x88, 0}) // close
	buf.Flush()
	bufio.NewReader(conn).ReadByte()
}

// counting counts the connections of a listener.
type counting struct {
	net.Listener
	count *atomic.Int64
}

func (c counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.count.Add(1)
	}
	return conn, err
}
