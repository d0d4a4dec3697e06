package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// SiteOrigin is where a local composition is served. Names below localhost never leave the machine, and
// pages under them are secure contexts.
const SiteOrigin = "http://helios.localhost"

const siteHost = "helios.localhost"

// door is the one way from a page to the rest of the world: Chromium's proxy, on loopback. It answers the
// composition's own origin itself and decides about every other address after it resolved the name, so
// that no DNS answer can lead where a page must not go.
type door struct {
	site     http.Handler // nil when the composition is on the web
	loopback string       // the one host:port on this machine that may be reached, or empty
	own      map[netip.Addr]bool

	listener net.Listener
	server   *http.Server
	forward  *httputil.ReverseProxy
	serving  sync.WaitGroup
	tunnels  sync.WaitGroup
	ctx      context.Context // ends the tunnels
	cancel   context.CancelFunc
}

var errRefused = errors.New("a composition may not reach this machine or its link-local neighbours")

// openDoor starts the proxy. A composition that the user gave by a loopback URL, such as that of a
// development server, may reach that host and port.
func openDoor(site http.Handler, input string) (*door, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening the page's proxy: %w", err)
	}
	d := &door{site: site, loopback: loopbackOrigin(input), own: ownAddresses(), listener: listener}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.forward = &httputil.ReverseProxy{
		Rewrite:   func(*httputil.ProxyRequest) {},
		Transport: &http.Transport{DialContext: d.dial, MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			refuse(w, err)
		},
	}
	d.server = &http.Server{Handler: d, ReadHeaderTimeout: 30 * time.Second}
	d.serving.Go(func() { d.server.Serve(listener) })
	return d, nil
}

func (d *door) address() string { return "http://" + d.listener.Addr().String() }

// close ends all connections and waits for those that serve them.
func (d *door) close() {
	d.cancel()
	d.server.Close()
	d.serving.Wait()
	d.tunnels.Wait()
	d.forward.Transport.(*http.Transport).CloseIdleConnections()
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect:
		d.tunnel(w, r)
	case r.URL.Host == siteHost && d.site != nil:
		d.site.ServeHTTP(w, r)
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
		refuse(w, err)
		return
	}
	local, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		remote.Close()
		return
	}
	io.WriteString(local, "HTTP/1.1 200 Connection established\r\n\r\n")
	stop := context.AfterFunc(d.ctx, func() { local.Close(); remote.Close() })
	d.tunnels.Go(func() { io.Copy(remote, local); remote.Close() })
	d.tunnels.Go(func() { io.Copy(local, remote); local.Close(); stop() })
}

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	if errors.Is(err, errRefused) {
		status = http.StatusForbidden
	}
	http.Error(w, err.Error(), status)
}

// dial connects to an address that a page may reach.
func (d *door) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 30 * time.Second}
	if address != d.loopback {
		dialer.Control = func(_, resolved string, _ syscall.RawConn) error { return d.check(resolved) }
	}
	return dialer.DialContext(ctx, network, address)
}

func (d *door) check(resolved string) error {
	to, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return err
	}
	ip := to.Addr().Unmap().WithZone("")
	if ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || d.own[ip] {
		return fmt.Errorf("%s: %w", to, errRefused)
	}
	return nil
}

// ownAddresses are the machine's addresses: what listens on all interfaces listens on them too.
func ownAddresses() map[netip.Addr]bool {
	own := map[netip.Addr]bool{}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			own[prefix.Addr().Unmap()] = true
		}
	}
	return own
}

// loopbackOrigin returns the host:port of a URL that names loopback in so many words. A name that merely
// resolves to loopback earns no exception.
func loopbackOrigin(input string) string {
	u, err := url.Parse(input)
	if err != nil || u.Host == "" {
		return ""
	}
	host, port := u.Hostname(), u.Port()
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !ip.Unmap().IsLoopback()) {
		return ""
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(host, port)
}
