package browser

import (
	"net/url"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/fetch"
)

// Worker is a script that Helios runs in a worker of the page. It runs even if the page's security policies forbid
// workers. It is served from the page's origin, which OPFS (the origin private file system) requires.
type Worker struct {
	// Path is the path of the script on the page's origin. It must be random, so that pages cannot guess it.
	Path string
	// Source is the script.
	Source string
	// TrustedTypes is the name of the Trusted Types policy that makes the script's URL trusted.
	TrustedTypes string
}

// workerHeaders allow a page with a Cross-Origin-Embedder-Policy to start the worker.
var workerHeaders = []*fetch.HeaderEntry{
	{Name: "Content-Type", Value: "text/javascript"},
	{Name: "Cross-Origin-Embedder-Policy", Value: "require-corp"},
	{Name: "Cross-Origin-Resource-Policy", Value: "same-origin"},
}

// allowIn changes the security policies in a document's headers so that they allow the worker and the capture of the
// tab. Other restrictions remain. It reports whether it changed a header.
func (w *Worker) allowIn(e *fetch.EventRequestPaused) (changed bool) {
	if w == nil || e.ResponseErrorReason != "" {
		return false
	}
	source := originOf(e.Request.URL) + w.Path
	headers := slices.Clone(e.ResponseHeaders)
	for i, h := range headers {
		value := h.Value
		switch strings.ToLower(h.Name) {
		case "content-security-policy":
			value = w.allowInCSP(value, source)
		case "permissions-policy":
			value = withoutFeature(value, "display-capture")
		}
		if value != h.Value {
			headers[i], changed = &fetch.HeaderEntry{Name: h.Name, Value: value}, true
		}
	}
	e.ResponseHeaders = slices.DeleteFunc(headers, func(h *fetch.HeaderEntry) bool {
		name := strings.ToLower(h.Name)
		return name == "content-length" || name == "content-encoding" // the body is already decoded
	})
	return changed
}

// originOf returns the origin of a URL, such as http://host:8080.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}

// withoutFeature returns a Permissions-Policy header without a feature.
func withoutFeature(header, feature string) string {
	features := slices.DeleteFunc(strings.Split(header, ","), func(f string) bool {
		name, _, _ := strings.Cut(f, "=")
		return strings.EqualFold(strings.TrimSpace(name), feature)
	})
	return strings.TrimSpace(strings.Join(features, ","))
}
