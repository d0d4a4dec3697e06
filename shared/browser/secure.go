package browser

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// insecureOrigin returns the origin of the page that an address on plain http leads to; empty for one that is a secure
// context anyway. It follows redirects, for the origin that counts is that of the page itself.
func (d *door) insecureOrigin(ctx context.Context, address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || isTrustworthy(u.Hostname()) {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil); err == nil {
		// If the page does not answer, Chromium will find out, too.
		if answer, err := (&http.Client{Transport: d.forward.Transport}).Do(r); err == nil {
			answer.Body.Close()
			u = answer.Request.URL
		}
	}
	if u.Scheme != "http" {
		return ""
	}
	return originOf(u.String())
}

// isTrustworthy reports whether pages on a host are secure contexts without TLS.
func isTrustworthy(host string) bool {
	ip, err := netip.ParseAddr(host)
	return isLocalhost(host) || err == nil && ip.IsLoopback()
}

// originOf returns the origin of an address, such as http://host:8080.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}
