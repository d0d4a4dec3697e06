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

// SiteOrigin is the origin of a local composition or one in S3. Browsers resolve names below localhost to loopback and
// treat these origins as secure contexts.
const SiteOrigin = "http://helios.localhost"

const siteHost = "helios.localhost"

// proxy is Chromium's HTTP proxy, on the loopback interface. It serves [SiteOrigin]. For other hosts, it applies the
// access rules to the resolved address, so DNS answers cannot bypass them.
type proxy struct {
	site    site   // nil if the composition is on the web
	allowed string // the host:port on this machine that pages can access, or empty

	handlers  handlers
	errors    sync.Map              // the errors of failed requests, by request URI
	transient atomic.Pointer[error] // the first transient error of the site
	pending   atomic.Int64          // requests that the site is serving
	animated  atomic.Bool           // a response was an animated image

	listener net.Listener
	server   *http.Server
	forward  *httputil.ReverseProxy
	serving  sync.WaitGroup
	conns    sync.WaitGroup // connections from Chromium, with their tunnels
	ctx      context.Context
	cancel   context.CancelFunc
}

var errBlocked = errors.New("blocked: compositions cannot access this machine or link-local addresses")

// notLocal rejects connections to the addresses for which [addr.IsLocal] is true.
var notLocal = addr.Control(func(ip netip.Addr) bool { return !addr.IsLocal(ip) }, errBlocked)

// startProxy starts the proxy for a site. Pages can access the host and port of compositionURL even if it is on this
// machine.
func startProxy(site site, compositionURL string) (*proxy, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the proxy: %w", err)
	}
	p := &proxy{site: site, allowed: localHostPort(compositionURL), listener: listener}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	discard := log.New(io.Discard, "", 0)
	p.forward = &httputil.ReverseProxy{
		// Keep the query unchanged. By default, ReverseProxy drops parameters that Go cannot parse, such as those with
		// semicolons.
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.RawQuery = r.In.URL.RawQuery },
		Transport: &http.Transport{
			DialContext: p.dial, MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
		},
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode >= 400 {
				p.errors.Store(r.Request.URL.String(), statusError(r.StatusCode))
			}
			return nil
		},
		ErrorHandler: p.writeError,
		ErrorLog:     discard,
	}
	p.server = &http.Server{
		Handler: p, ReadHeaderTimeout: 30 * time.Second, ErrorLog: discard,
		BaseContext: func(net.Listener) context.Context { return p.ctx },
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				p.conns.Add(1)
			case http.StateClosed: // the handler has returned; for hijacked connections, tunnel calls Done
				p.conns.Done()
			}
		},
	}
	p.serving.Go(func() { _ = p.server.Serve(listener) }) // ends with ErrServerClosed
	return p, nil
}

func (p *proxy) url() string { return "http://" + p.listener.Addr().String() }

// close closes all connections and waits for their handlers.
func (p *proxy) close() {
	p.cancel()
	p.server.Close()
	p.serving.Wait()
	p.conns.Wait()
	p.forward.Transport.(*http.Transport).CloseIdleConnections()
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect && r.Header.Get("Upgrade") == "" {
		w = &imageSniffer{ResponseWriter: w, animated: &p.animated}
	}
	switch {
	case r.Method == http.MethodConnect:
		p.tunnel(w, r)
	case r.URL.Host == siteHost && strings.HasPrefix(r.URL.Path, reservedPath):
		p.handlers.ServeHTTP(w, r)
	case r.URL.Host == siteHost && p.site != nil:
		p.pending.Add(1)
		defer p.pending.Add(-1)
		if err := p.site.serve(w, r); err != nil {
			p.writeError(w, r, err)
		}
	case r.URL.Scheme == "http" && r.URL.Host != "":
		p.forward.ServeHTTP(w, r)
	default:
		http.Error(w, "this is the proxy of a Helios render", http.StatusBadRequest)
	}
}

// tunnel copies bytes between the page and a host, for TLS and WebSockets.
func (p *proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	remote, err := p.dial(r.Context(), "tcp", r.URL.Host)
	if err != nil {
		p.writeError(w, r, err)
		return
	}
	defer remote.Close()
	local, fromPage, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer p.conns.Done()
	defer local.Close()
	stop := context.AfterFunc(p.ctx, func() { local.Close(); remote.Close() })
	defer stop()
	// If one side closes its connection or fails, close the other, too.
	_, _ = io.WriteString(local, "HTTP/1.1 200 Connection established\r\n\r\n")
	var upload sync.WaitGroup
	upload.Go(func() { _, _ = io.Copy(remote, fromPage); remote.Close() })
	_, _ = io.Copy(local, remote)
	local.Close()
	upload.Wait()
}

// writeError responds to a failed request and records the error, because Chromium does not report why a tunnel failed.
func (p *proxy) writeError(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadGateway
	var dialErr *net.OpError
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, errBlocked):
		status, err = http.StatusForbidden, errBlocked
	case errors.Is(err, fs.ErrNotExist):
		status, err = http.StatusNotFound, statusError(http.StatusNotFound)
	case errors.As(err, &pathErr):
		status, err = http.StatusForbidden, pathErr.Err
	case fault.Of(err) == fault.User:
		status = http.StatusForbidden
	case fault.Of(err) == fault.Transient:
		transient := err
		p.transient.CompareAndSwap(nil, &transient)
	case errors.As(err, &dialErr):
		err = dialErr.Err
	}
	if r.Context().Err() == nil {
		p.errors.Store(r.RequestURI, err)
	}
	text := err.Error()
	if fault.Of(err) != fault.Internal {
		text = http.StatusText(status) // the error may name the bucket, which pages must not see
	}
	http.Error(w, text, status)
}

// statusError is an HTTP status of 300 or more.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("HTTP status %d", int(s)) }

// errorFor returns the error of the proxy for a URL, or nil.
func (p *proxy) errorFor(address string) error {
	err, ok := p.errors.Load(address)
	if !ok {
		// The request URI of a tunnel is only host:port.
		if u, parseErr := url.Parse(address); parseErr == nil {
			err, ok = p.errors.Load(hostPort(u))
		}
	}
	if !ok {
		return nil
	}
	return err.(error)
}

// dial connects to an address that pages can access.
func (p *proxy) dial(ctx context.Context, network, address string) (net.Conn, error) {
	// The transport continues dialing after its request has ended. close must stop it.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	dialer := net.Dialer{Timeout: 30 * time.Second}
	if address != p.allowed {
		host, _, _ := net.SplitHostPort(address)
		if addr.IsLocalhost(host) {
			return nil, errBlocked // without a DNS query
		}
		dialer.Control = notLocal
	}
	return dialer.DialContext(ctx, network, address)
}

// localHostPort returns the host:port of a URL if its host is "localhost" or an IP address of this machine, or else "".
// Other names are not exempt from the policy, even if they resolve to this machine.
func localHostPort(address string) string {
	u, err := url.Parse(address)
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

// hostPort returns the host:port of a URL, with the default port of its scheme.
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
