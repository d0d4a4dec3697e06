package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"helios/shared/addr"
	"helios/shared/fault"
)

// SiteOrigin is where a local composition is served. Names below localhost never leave the machine, and
// pages under them are secure contexts.
const SiteOrigin = "http://helios.localhost"

const siteHost = "helios.localhost"

// door is the one way from a page to the rest of the world: Chromium's proxy, on loopback. It answers the
// composition's own origin itself and decides about every other address after it resolved the name, so
// that no DNS answer can lead where a page must not go.
type door struct {
	site    site   // nil when the composition is on the web
	allowed string // the one host:port on this machine that may be reached, or empty

	published published
	problems  sync.Map              // what could not be had: why (error), by request URI
	failure   atomic.Pointer[error] // the first that may be gone the next time
	awaited   atomic.Int64          // files of the composition that were asked for and are not there yet
	animated  atomic.Bool           // an animated image was served
	listener  net.Listener
	server    *http.Server
	forward   *httputil.ReverseProxy
	serving   sync.WaitGroup
	conns     sync.WaitGroup // from Chromium, until they and what was done for them are closed
	ctx       context.Context
	cancel    context.CancelFunc
}

var errRefused = errors.New("a composition may not reach this machine or its link-local neighbours")

// notLocal rejects a connection after the name was resolved, so no DNS answer leads to a local address.
var notLocal = addr.Control(func(ip netip.Addr) bool { return !addr.IsLocal(ip) }, errRefused)

// openDoor starts the proxy. A composition that the user gave by a URL on this machine, such as that of a
// development server, may reach that host and port.
func openDoor(site site, input string) (*door, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening the page's proxy: %w", err)
	}
	d := &door{site: site, allowed: ownOrigin(input), listener: listener}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	silent := log.New(io.Discard, "", 0)
	d.forward = &httputil.ReverseProxy{
		// The query goes through as it is; the default drops what Go cannot parse, such as semicolons.
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.RawQuery = r.In.URL.RawQuery },
		Transport: &http.Transport{DialContext: d.dial, MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second, DisableCompression: true},
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode >= 400 {
				d.problems.Store(r.Request.URL.String(), statusError(r.StatusCode))
			}
			return nil
		},
		ErrorHandler: d.refuse,
		ErrorLog:     silent,
	}
	d.server = &http.Server{
		Handler: d, ReadHeaderTimeout: 30 * time.Second, ErrorLog: silent,
		BaseContext: func(net.Listener) context.Context { return d.ctx },
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				d.conns.Add(1)
			case http.StateClosed: // after the handler; a hijacked connection ends in tunnel
				d.conns.Done()
			}
		},
	}
	d.serving.Go(func() { d.server.Serve(listener) })
	return d, nil
}

func (d *door) address() string { return "http://" + d.listener.Addr().String() }

// close ends all connections and waits for those that serve them.
func (d *door) close() {
	d.cancel()
	d.server.Close()
	d.serving.Wait()
	d.conns.Wait()
	d.forward.Transport.(*http.Transport).CloseIdleConnections()
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect && r.Header.Get("Upgrade") == "" {
		w = &imageWatcher{ResponseWriter: w, animated: &d.animated}
	}
	switch {
	case r.Method == http.MethodConnect:
		d.tunnel(w, r)
	case r.URL.Host == siteHost && strings.HasPrefix(r.URL.Path, reserved):
		d.published.ServeHTTP(w, r)
	case r.URL.Host == siteHost && d.site != nil:
		d.awaited.Add(1)
		defer d.awaited.Add(-1)
		if err := d.site.serve(w, r); err != nil {
			d.refuse(w, r, err)
		}
	case r.URL.Scheme == "http" && r.URL.Host != "":
		d.forward.ServeHTTP(w, r)
	default:
		http.Error(w, "this is the proxy of a Helios render", http.StatusBadRequest)
	}
}

// tunnel joins the page to a host without looking inside: TLS and web sockets.
func (d *door) tunnel(w http.ResponseWriter, r *http.Request) {
	remote, err := d.dial(r.Context(), "tcp", r.URL.Host)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	defer remote.Close()
	local, sent, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer d.conns.Done()
	defer local.Close()
	stop := context.AfterFunc(d.ctx, func() { local.Close(); remote.Close() })
	defer stop()
	io.WriteString(local, "HTTP/1.1 200 Connection established\r\n\r\n")
	var up sync.WaitGroup
	up.Go(func() { io.Copy(remote, sent); remote.Close() })
	io.Copy(local, remote)
	local.Close()
	up.Wait()
}

// refuse answers a request that leads nowhere, and remembers why for those who report it: a page is not
// told what became of a tunnel.
func (d *door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadGateway
	var dialed *net.OpError
	var opened *fs.PathError
	switch {
	case errors.Is(err, errRefused):
		status, err = http.StatusForbidden, errRefused
	case errors.Is(err, fs.ErrNotExist):
		status, err = http.StatusNotFound, statusError(http.StatusNotFound)
	case errors.As(err, &opened):
		status, err = http.StatusForbidden, opened.Err
	case fault.Of(err) == fault.User:
		status = http.StatusForbidden
	case fault.Of(err) == fault.Transient:
		failure := err
		d.failure.CompareAndSwap(nil, &failure)
	case errors.As(err, &dialed):
		err = dialed.Err
	}
	if r.Context().Err() == nil {
		d.problems.Store(r.RequestURI, err)
	}
	text := err.Error()
	if fault.Of(err) != fault.Internal {
		text = http.StatusText(status) // not where the composition lies
	}
	http.Error(w, text, status)
}

// statusError is an HTTP status that says that something cannot be had.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("HTTP status %d", int(s)) }

// problem says why a URL could not be had, if that was found out here.
func (d *door) problem(address string) error {
	err, ok := d.problems.Load(address)
	if !ok {
		if u, parsing := url.Parse(address); parsing == nil {
			err, ok = d.problems.Load(hostPort(u))
		}
	}
	if !ok {
		return nil
	}
	return err.(error)
}

// dial connects to an address that a page may reach.
func (d *door) dial(ctx context.Context, network, address string) (net.Conn, error) {
	// The transport goes on dialing when the request is over.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()
	dialer := net.Dialer{Timeout: 30 * time.Second}
	if address != d.allowed {
		host, _, _ := net.SplitHostPort(address)
		if addr.IsLocalhost(host) {
			return nil, errRefused // without asking a name server about it
		}
		dialer.Control = notLocal
	}
	return dialer.DialContext(ctx, network, address)
}

// ownOrigin returns the host:port of a URL that names this machine in so many words. A name that merely
// resolves to it earns no exception.
func ownOrigin(input string) string {
	u, err := url.Parse(input)
	if err != nil || u.Host == "" {
		return ""
	}
	u.Host = strings.ToLower(u.Host)
	ip, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() != "localhost" && (err != nil || !addr.IsThisMachine(ip)) {
		return ""
	}
	return hostPort(u)
}

// hostPort returns what a client connects to for a URL.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" || u.Scheme == "wss" {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}
