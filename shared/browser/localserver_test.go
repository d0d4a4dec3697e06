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

// secrets are files that a page must not be able to load. They are valid, so that a successful load fires an event.
var secrets = map[string]string{
	"secret.txt":  "the text of a secret",
	"secret.html": `<script>(parent === window ? opener : parent).postMessage(location.hash.slice(1), "*")</script>`,
	"secret.js":   "",
	"secret.css":  ":root { --secret: 1 }",
	"secret.png": decodeBase64("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ" +
		"RU5ErkJggg=="),
	"secret.wav": "RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00" +
		"\x01\x00\x08\x00data\x08\x00\x00\x00\x80\x80\x80\x80\x80\x80\x80\x80",
	"secret.woff2": "",
}

func decodeBase64(text string) string {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// localServer is another server on this machine, which serves the secrets. It listens on both loopback addresses.
type localServer struct {
	*httptest.Server
	port     string
	contacts atomic.Int64 // TCP connections and UDP packets
}

func startLocalServer(t *testing.T, secure bool) *localServer {
	t.Helper()
	s := &localServer{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.Listener = countingListener{s.Listener, &s.contacts}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	_, s.port, _ = net.SplitHostPort(s.Listener.Addr().String())

	// Listen on the same port of IPv6, and of UDP.
	ipv6, err := net.Listen("tcp6", "[::1]:"+s.port)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: s.Config.Handler}
	go server.Serve(countingListener{ipv6, &s.contacts})
	t.Cleanup(func() { server.Close() })
	packets, err := net.ListenPacket("udp4", "127.0.0.1:"+s.port)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			if _, _, err := packets.ReadFrom(make([]byte, 1500)); err != nil {
				return
			}
			s.contacts.Add(1)
		}
	}()
	t.Cleanup(func() { packets.Close() })
	return s
}

// wantNoContacts fails the test if a connection or packet reached the server.
func (s *localServer) wantNoContacts(t *testing.T) {
	t.Helper()
	if count := s.contacts.Load(); count > 0 {
		t.Errorf("%d connections or packets reached a server on this machine", count)
	}
}

func (s *localServer) serve(w http.ResponseWriter, r *http.Request) {
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
		acceptWebSocket(w, r)
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
	".txt": "text/plain", ".html": "text/html", ".js": "text/javascript", ".css": "text/css",
	".png": "image/png", ".wav": "audio/wav", ".woff2": "font/woff2",
}

// acceptWebSocket opens a WebSocket and closes it.
func acceptWebSocket(w http.ResponseWriter, r *http.Request) {
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(buf, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	buf.Write([]byte{0x88, 0}) // a close frame
	buf.Flush()
	bufio.NewReader(conn).ReadByte()
}

// countingListener counts the connections that it accepts.
type countingListener struct {
	net.Listener
	count *atomic.Int64
}

func (c countingListener) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.count.Add(1)
	}
	return conn, err
}
