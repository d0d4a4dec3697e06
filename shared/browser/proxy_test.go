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

func TestLocalHostPort(t *testing.T) {
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
		if got := localHostPort(input); got != want {
			t.Errorf("localHostPort(%q) = %q, want %q", input, got, want)
		}
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip := a.(*net.IPNet).IP
		want := net.JoinHostPort(ip.String(), "3000")
		if !ip.IsLinkLocalUnicast() && localHostPort("http://"+want+"/") != want {
			t.Errorf("localHostPort does not allow %s, an address of this machine", want)
		}
	}
}

// newProxy starts a proxy and returns a client that uses it.
func newProxy(t *testing.T, s site, compositionURL string) (*proxy, *http.Client) {
	t.Helper()
	p, err := startProxy(s, compositionURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	proxyURL, err := url.Parse(p.url())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		Proxy: http.ProxyURL(proxyURL), TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	// Otherwise goleak reports the client's connections as leaks of the proxy.
	t.Cleanup(transport.CloseIdleConnections)
	return p, &http.Client{Transport: transport, Timeout: 20 * time.Second}
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

// The proxy applies its rules to the address that it connects to, because DNS answers can change.
func TestProxyBlocksNamesThatResolveToLoopback(t *testing.T) {
	server := startLocalServer(t, false)
	queries := startNameServer(t, [4]byte{127, 0, 0, 1})
	p, client := newProxy(t, nil, "")
	for _, scheme := range []string{"http", "https"} {
		address := scheme + "://innocent.test:" + server.port + "/secret.txt"
		status := 0
		if scheme == "http" {
			status, _ = get(t, client, address)
		} else if _, err := client.Get(address); err != nil && strings.Contains(err.Error(), "Forbidden") {
			status = http.StatusForbidden
		}
		if status != http.StatusForbidden {
			t.Errorf("%s: status %d", address, status)
		}
		if err := p.errorFor(address); !errors.Is(err, errBlocked) {
			t.Errorf("errorFor(%s) = %v", address, err)
		}
	}
	if queries() == 0 {
		t.Error("the name server got no query")
	}
	server.wantNoContacts(t)

	before := queries()
	for _, host := range []string{"localhost", "foo.localhost", "foo.localhost.", "helios.localhost"} {
		if status, _ := get(t, client, "http://"+host+":"+server.port+"/secret.txt"); status != http.StatusForbidden {
			t.Errorf("%s: status %d", host, status)
		}
	}
	if queries() != before {
		t.Error("the name server got a query about localhost")
	}
	server.wantNoContacts(t)
}

// startNameServer starts a DNS server that resolves every name to ip, and makes it the default. queries returns the
// number of queries so far.
func startNameServer(t *testing.T, ip [4]byte) (queries func() int64) {
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
			// The answer repeats the header and the question, which ends with a zero label, type and class.
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

func TestProxyRejectsRequestsToItself(t *testing.T) {
	p, client := newProxy(t, &folder{openRoot(t, writeFolder(t, map[string]string{"index.html": "x"}))}, "")
	direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, client := range []*http.Client{client, direct} {
		if status, body := get(t, client, p.url()+"/index.html"); status < 400 || body == "x" {
			t.Errorf("status %d, %q", status, body)
		}
	}
	// A request in origin form, with the site's host.
	conn, err := net.Dial("tcp", p.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /index.html HTTP/1.1\r\nHost: helios.localhost\r\nConnection: close\r\n\r\n")
	if answer, _ := io.ReadAll(conn); !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("the response is %q", answer)
	}
}

func TestProxyTunnels(t *testing.T) {
	allowed, other := startLocalServer(t, true), startLocalServer(t, true)
	_, client := newProxy(t, nil, allowed.URL)
	if status, body := get(t, client, allowed.URL+"/secret.txt"); status != 200 || body != secrets["secret.txt"] {
		t.Errorf("the composition's origin: status %d, %q", status, body)
	}
	if _, err := client.Get(other.URL + "/secret.txt"); err == nil || !strings.Contains(err.Error(), "Forbidden") {
		t.Errorf("another port: %v", err)
	}
	other.wantNoContacts(t)
}

func TestTunnelKeepsDataSentBeforeTheResponse(t *testing.T) {
	server := startLocalServer(t, false)
	p, _ := newProxy(t, nil, server.URL)
	conn, err := net.Dial("tcp", p.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	host := "127.0.0.1:" + server.port
	const request = "GET /secret.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n%s", host, host, request)
	if answer, err := io.ReadAll(conn); !strings.HasSuffix(string(answer), secrets["secret.txt"]) {
		t.Errorf("the response is %q, %v", answer, err)
	}
}

func TestProxyForwardsUnchanged(t *testing.T) {
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
	_, client := newProxy(t, nil, server.URL)
	client.Transport.(*http.Transport).DisableCompression = true
	const path = "/a%2Fb%20c/%E6%97%A5?family=Inter:wght@400;700&x=%zz&y=a+b"
	request, err := http.NewRequest(http.MethodPut, server.URL+path, strings.NewReader("body"))
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
	if got.RequestURI != path || got.Method != http.MethodPut || string(sent) != "body" ||
		"http://"+got.Host != server.URL {
		t.Errorf("the server got %s %s at %s with %q", got.Method, got.RequestURI, got.Host, sent)
	}
	for name := range got.Header {
		if strings.HasPrefix(name, "X-Forwarded") || strings.HasPrefix(name, "Proxy") || name == "Via" {
			t.Errorf("the server got the header %s", name)
		}
	}
	if h := got.Header; h.Get("Range") != "bytes=1-2" || h.Get("User-Agent") != "Chromium" ||
		h.Get("Accept-Encoding") != "" {
		t.Errorf("the server got the headers %v", got.Header)
	}
	if answer.StatusCode != http.StatusTeapot || !bytes.Equal(body, packed.Bytes()) ||
		len(answer.Header.Values("Set-Cookie")) != 2 {
		t.Errorf("the response is %s %v with %q", answer.Status, answer.Header, body)
	}
}

// The log would overwrite the progress bar on the terminal.
func TestProxyDoesNotLogBrokenResponses(t *testing.T) {
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
	p, client := newProxy(t, nil, server.URL)
	answer, err := client.Get(server.URL)
	if err == nil {
		_, err = io.ReadAll(answer.Body)
		answer.Body.Close()
	}
	if err == nil {
		t.Error("reading half a response returned no error")
	}
	p.close()
	if logged.Len() > 0 {
		t.Errorf("logged: %s", &logged)
	}
}

func TestProxyRecordsErrors(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	address := closed.URL + "/x.png"
	closed.Close()
	p, client := newProxy(t, nil, closed.URL)
	if status, _ := get(t, client, address); status != http.StatusBadGateway {
		t.Errorf("status %d", status)
	}
	if err := p.errorFor(address); err == nil || err.Error() != "connect: connection refused" {
		t.Errorf("errorFor(%s) = %v", address, err)
	}
	if err := p.errorFor(closed.URL + "/other"); err != nil {
		t.Errorf("errorFor of a URL without a request = %v", err)
	}
}

func TestProxyClose(t *testing.T) {
	started := make(chan struct{}, 1)
	never := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started <- struct{}{}
		select {
		case <-never:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(never)

	for name, connect := range map[string]func(t *testing.T, conn net.Conn){
		"while a server does not respond": func(t *testing.T, conn net.Conn) {
			fmt.Fprintf(conn, "GET %s/ HTTP/1.1\r\nHost: x\r\n\r\n", server.URL)
			<-started
		},
		"while a request is incomplete": func(t *testing.T, conn net.Conn) {
			fmt.Fprintf(conn, "POST %s/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf", server.URL)
			<-started
		},
		"while a tunnel is idle": func(t *testing.T, conn net.Conn) {
			host := server.Listener.Addr()
			fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", host, host)
			answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodConnect})
			if err != nil || answer.StatusCode != http.StatusOK {
				t.Fatal(answer, err)
			}
		},
		"while a connection is idle": func(t *testing.T, conn net.Conn) {
			fmt.Fprint(conn, "GET http://localhost/ HTTP/1.1\r\nHost: x\r\n\r\n")
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || answer.StatusCode != http.StatusForbidden {
				t.Fatal(answer, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := startProxy(nil, server.URL)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := net.Dial("tcp", p.listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			connect(t, conn)
			wantClose(t, p)
		})
	}

	// Connecting to a listener with a full queue blocks until a timeout.
	for _, method := range []string{"GET http://%s/", "CONNECT %s"} {
		t.Run("while connecting by "+method, func(t *testing.T) {
			busy := fullListener(t)
			p, err := startProxy(nil, "http://"+busy)
			if err != nil {
				t.Fatal(err)
			}
			dialing := make(chan struct{})
			inner := p.server.Handler
			p.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(dialing)
				inner.ServeHTTP(w, r)
			})
			conn, err := net.Dial("tcp", p.listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, method+" HTTP/1.1\r\nHost: x\r\n\r\n", busy)
			<-dialing
			wantClose(t, p)
		})
	}
}

// wantClose fails the test if close takes more than 5 s.
func wantClose(t *testing.T, p *proxy) {
	t.Helper()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		p.close()
	}()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Fatal("close does not return")
	}
}

// fullListener returns the address of a listener whose queue of connections is full.
func fullListener(t *testing.T) string {
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
	t.Fatal("the queue of the listener does not fill up")
	return ""
}
