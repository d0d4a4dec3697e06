package browser

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOwnOrigin(t *testing.T) {
	for input, want := range map[string]string{
		"":                                "",
		"http://127.0.0.1:3000/a.html":    "127.0.0.1:3000",
		"http://127.0.0.1/":               "127.0.0.1:80",
		"https://127.0.0.1":               "127.0.0.1:443",
		"http://localhost:8080":           "localhost:8080",
		"http://LocalHost:8080":           "localhost:8080",
		"http://[::1]:8080/":              "[::1]:8080",
		"http://[::ffff:127.0.0.1]:8080/": "[::ffff:127.0.0.1]:8080",
		"http://example.com:3000/":        "",
		"http://localhost.example.com/":   "",
		"http://127.0.0.1.example.com/":   "",
		"http://user@example.com/":        "",
		"http://127.0.0.1:3000@evil.com/": "",
		"http://169.254.169.254/":         "",
		"http://0.0.0.0:3000/":            "",
		"intro.html":                      "",
		"http://[::1":                     "",
	} {
		if got := ownOrigin(input); got != want {
			t.Errorf("ownOrigin(%q) = %q, want %q", input, got, want)
		}
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip := a.(*net.IPNet).IP
		if want := net.JoinHostPort(ip.String(), "3000"); !ip.IsLinkLocalUnicast() && ownOrigin("http://"+want+"/") != want {
			t.Errorf("the address %s of this machine, as the user gave it, may not be reached", want)
		}
	}
}

// knock opens a door for a composition and returns a client that goes through it.
func knock(t *testing.T, s site, input string) (*door, *http.Client) {
	t.Helper()
	d, err := openDoor(s, input)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	proxy, err := url.Parse(d.address())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	// Not a leftover of the door.
	t.Cleanup(transport.CloseIdleConnections)
	return d, &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

func get(t *testing.T, client *http.Client, address string) (status int, body string) {
	t.Helper()
	r, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// The name is decided by the address that it has when it is connected to: DNS answers may change.
func TestNamesThatResolveToThisMachine(t *testing.T) {
	n := newNeighbour(t, false)
	asked := nameServer(t, [4]byte{127, 0, 0, 1})
	d, client := knock(t, nil, "")
	for _, scheme := range []string{"http", "https"} {
		address := scheme + "://innocent.test:" + n.port + "/secret.txt"
		status := 0
		if scheme == "http" {
			status, _ = get(t, client, address)
		} else if _, err := client.Get(address); err != nil && strings.Contains(err.Error(), "Forbidden") {
			status = http.StatusForbidden
		}
		if status != http.StatusForbidden {
			t.Errorf("%s: status %d", address, status)
		}
		if err := d.problem(address); !errors.Is(err, errRefused) {
			t.Errorf("the door says about %s: %v", address, err)
		}
	}
	if asked() == 0 {
		t.Error("nobody asked the name server")
	}
	n.wantAlone(t)

	// Those that are known to be this machine are no business of a name server.
	before := asked()
	for _, host := range []string{"localhost", "foo.localhost", "foo.localhost.", "helios.localhost"} {
		if status, _ := get(t, client, "http://"+host+":"+n.port+"/secret.txt"); status != http.StatusForbidden {
			t.Errorf("%s: status %d", host, status)
		}
	}
	if asked() != before {
		t.Error("the name server was asked about localhost")
	}
	n.wantAlone(t)
}

// nameServer has every name resolved to one address, by DNS, and returns how often it was asked.
func nameServer(t *testing.T, ip [4]byte) (asked func() int64) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	count := make(chan int64, 1)
	count <- 0
	go func() {
		query := make([]byte, 512)
		for {
			size, from, err := conn.ReadFrom(query)
			if err != nil {
				return
			}
			count <- <-count + 1
			// The header and the question come back; the end of the question is its zero label, type and class.
			end := 12 + bytes.IndexByte(query[12:size], 0) + 5
			answer := append([]byte(nil), query[:end]...)
			copy(answer[2:], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
			if query[end-3] == 1 { // an A record
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				answer = append(answer, ip[:]...)
			}
			conn.WriteTo(answer, from)
		}
	}()
	old := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = old })
	return func() int64 {
		n := <-count
		count <- n
		return n
	}
}

func TestTheProxyIsNoServer(t *testing.T) {
	d, client := knock(t, &disk{openRoot(t, folder(t, map[string]string{"index.html": "x"}))}, "")
	direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, client := range []*http.Client{client, direct} {
		if status, body := get(t, client, d.address()+"/index.html"); status < 400 || body == "x" {
			t.Errorf("status %d, %q", status, body)
		}
	}
	// A request in origin form, with the site's name.
	conn, err := net.Dial("tcp", d.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /index.html HTTP/1.1\r\nHost: helios.localhost\r\nConnection: close\r\n\r\n")
	if answer, _ := io.ReadAll(conn); !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("it answers %q", answer)
	}
}

func TestTunnels(t *testing.T) {
	own, other := newNeighbour(t, true), newNeighbour(t, true)
	_, client := knock(t, nil, own.URL)
	if status, body := get(t, client, own.URL+"/secret.txt"); status != 200 || body != secrets["secret.txt"] {
		t.Errorf("its own origin answers %d, %q", status, body)
	}
	if _, err := client.Get(other.URL + "/secret.txt"); err == nil || !strings.Contains(err.Error(), "Forbidden") {
		t.Errorf("another port: %v", err)
	}
	other.wantAlone(t)
}

// What the client sends behind its CONNECT without waiting for the answer must not get lost.
func TestTunnelForTheImpatient(t *testing.T) {
	n := newNeighbour(t, false)
	d, _ := knock(t, nil, n.URL)
	conn, err := net.Dial("tcp", d.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	host := "127.0.0.1:" + n.port
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\nGET /secret.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", host, host)
	if answer, err := io.ReadAll(conn); !strings.HasSuffix(string(answer), secrets["secret.txt"]) {
		t.Errorf("the answer is %q, %v", answer, err)
	}
}

// A request passes through as Chromium made it, and so does the answer.
func TestForwardingChangesNothing(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, "text")
	z.Close()
	var got *http.Request
	var sent []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		sent, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.WriteHeader(http.StatusTeapot)
		w.Write(packed.Bytes())
	}))
	defer server.Close()
	_, client := knock(t, nil, server.URL)
	client.Transport.(*http.Transport).DisableCompression = true
	const path = "/a%2Fb%20c/%E6%97%A5?family=Inter:wght@400;700&x=%zz&y=a+b"
	request, err := http.NewRequest("PUT", server.URL+path, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Range", "bytes=1-2")
	request.Header.Set("User-Agent", "Chromium")
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	if got.RequestURI != path || got.Method != "PUT" || string(sent) != "body" || "http://"+got.Host != server.URL {
		t.Errorf("it came as %s %s at %s with %q", got.Method, got.RequestURI, got.Host, sent)
	}
	for name := range got.Header {
		if strings.HasPrefix(name, "X-Forwarded") || strings.HasPrefix(name, "Proxy") || name == "Via" {
			t.Errorf("it came with %s", name)
		}
	}
	if got.Header.Get("Range") != "bytes=1-2" || got.Header.Get("User-Agent") != "Chromium" || got.Header.Get("Accept-Encoding") != "" {
		t.Errorf("it came with %v", got.Header)
	}
	if answer.StatusCode != http.StatusTeapot || !bytes.Equal(body, packed.Bytes()) || len(answer.Header.Values("Set-Cookie")) != 2 {
		t.Errorf("the answer is %s %v with %q", answer.Status, answer.Header, body)
	}
}

// The terminal belongs to those who draw a progress bar on it.
func TestABrokenAnswerIsNotLogged(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(io.Discard)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	d, client := knock(t, nil, server.URL)
	answer, err := client.Get(server.URL)
	if err == nil {
		_, err = io.ReadAll(answer.Body)
		answer.Body.Close()
	}
	if err == nil {
		t.Error("half an answer was taken for a whole one")
	}
	d.close()
	if logged.Len() > 0 {
		t.Errorf("logged: %s", &logged)
	}
}

func TestProblemsThatTheDoorKnows(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	address := closed.URL + "/x.png"
	closed.Close()
	d, client := knock(t, nil, closed.URL)
	if status, _ := get(t, client, address); status != http.StatusBadGateway {
		t.Errorf("status %d", status)
	}
	if err := d.problem(address); err == nil || err.Error() != "connect: connection refused" {
		t.Errorf("the door says %v", err)
	}
	if err := d.problem(closed.URL + "/other"); err != nil {
		t.Errorf("about something that nobody asked for, it says %v", err)
	}
}

func TestClosingTheDoor(t *testing.T) {
	begun := make(chan struct{}, 1)
	never := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		select {
		case <-never:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(never)

	for name, begin := range map[string]func(t *testing.T, conn net.Conn){
		"while a server does not answer": func(t *testing.T, conn net.Conn) {
			fmt.Fprintf(conn, "GET %s/ HTTP/1.1\r\nHost: x\r\n\r\n", server.URL)
			<-begun
		},
		"while a request is half sent": func(t *testing.T, conn net.Conn) {
			fmt.Fprintf(conn, "POST %s/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf", server.URL)
			<-begun
		},
		"while a tunnel is idle": func(t *testing.T, conn net.Conn) {
			host := server.Listener.Addr()
			fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", host, host)
			if answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: "CONNECT"}); err != nil || answer.StatusCode != 200 {
				t.Fatal(answer, err)
			}
		},
		"while a connection is idle": func(t *testing.T, conn net.Conn) {
			fmt.Fprint(conn, "GET http://localhost/ HTTP/1.1\r\nHost: x\r\n\r\n")
			if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || answer.StatusCode != 403 {
				t.Fatal(answer, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := openDoor(nil, server.URL)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := net.Dial("tcp", d.listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			begin(t, conn)
			closeSoon(t, d)
		})
	}

	// A listener that is too busy to accept: connecting to it takes until somebody gives up.
	for _, method := range []string{"GET http://%s/", "CONNECT %s"} {
		t.Run("while connecting by "+method, func(t *testing.T) {
			busy := busyListener(t)
			d, err := openDoor(nil, "http://"+busy)
			if err != nil {
				t.Fatal(err)
			}
			dialing := make(chan struct{})
			inner := d.server.Handler
			d.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(dialing)
				inner.ServeHTTP(w, r)
			})
			conn, err := net.Dial("tcp", d.listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, method+" HTTP/1.1\r\nHost: x\r\n\r\n", busy)
			<-dialing
			closeSoon(t, d)
		})
	}
}

func closeSoon(t *testing.T, d *door) {
	t.Helper()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		d.close()
	}()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Fatal("the door does not close")
	}
}

// busyListener returns an address that lets nobody in.
func busyListener(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for range 10 {
		conn, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("the listener's queue does not fill up")
	return ""
}
