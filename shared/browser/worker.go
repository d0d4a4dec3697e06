package browser

import (
	"net/url"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/fetch"
)

// Worker is a script that Helios runs in a worker of the page, whatever the page's policies forbid. It is served on
// the page's own origin, which OPFS requires, and under a path that no page can guess.
type Worker struct {
	// Path is the path of the script on the page's origin.
	Path string
	// Source is the script.
	Source string
	// TrustedTypes is the name of the Trusted Types policy by which the script's address becomes trusted.
	TrustedTypes string
}

// workerHeaders let a page with COEP start the worker.
var workerHeaders = []*fetch.HeaderEntry{
	{Name: "Content-Type", Value: "text/javascript"},
	{Name: "Cross-Origin-Embedder-Policy", Value: "require-corp"},
	{Name: "Cross-Origin-Resource-Policy", Value: "same-origin"},
}

// admit changes the policies in the headers of a page so that they admit the worker and the capture of the tab, and
// nothing else that they forbid. It reports whether there was anything to change.
func (w *Worker) admit(e *fetch.EventRequestPaused) (changed bool) {
	if w == nil || e.ResponseErrorReason != "" {
		return false
	}
	source := originOf(e.Request.URL) + w.Path
	headers := slices.Clone(e.ResponseHeaders)
	for i, h := range headers {
		value := h.Value
		switch strings.ToLower(h.Name) {
		case "content-security-policy":
			value = w.admitByCSP(value, source)
		case "permissions-policy":
			value = withoutFeature(value, "display-capture")
		}
		if value != h.Value {
			headers[i], changed = &fetch.HeaderEntry{Name: h.Name, Value: value}, true
		}
	}
	e.ResponseHeaders = slices.DeleteFunc(headers, func(h *fetch.HeaderEntry) bool {
		name := strings.ToLower(h.Name)
		return name == "content-length" || name == "content-encoding" // the body was decoded
	})
	return changed
}

// admitByCSP returns a Content-Security-Policy header, a list of policies, that admits the worker at a source.
func (w *Worker) admitByCSP(header, source string) string {
	policies := strings.Split(header, ",")
	for i, policy := range policies {
		d := parsePolicy(policy)
		d.admitWorker(source)
		d.admitTrustedTypes(w.TrustedTypes)
		d.admitOrigin()
		policies[i] = d.String()
	}
	return strings.Join(policies, ", ")
}

// directives are those of one content security policy, each with its values.
type directives [][]string

func parsePolicy(policy string) (d directives) {
	for directive := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(directive)
		if len(words) == 0 {
			continue
		}
		words[0] = strings.ToLower(words[0])
		if d.find(words[0]) == nil { // of two directives of a name the first counts
			d = append(d, words)
		}
	}
	return d
}

func (d directives) String() string {
	list := make([]string, len(d))
	for i, words := range d {
		list[i] = strings.Join(words, " ")
	}
	return strings.Join(list, "; ")
}

func (d directives) find(name string) *[]string {
	for i := range d {
		if d[i][0] == name {
			return &d[i]
		}
	}
	return nil
}

// admitWorker adds a source to worker-src. Where the policy has no worker-src, it gets one with the values of the
// directive that Chromium would use instead.
func (d *directives) admitWorker(source string) {
	for _, name := range []string{"worker-src", "child-src", "script-src", "default-src"} {
		words := d.find(name)
		if words == nil {
			continue
		}
		if name != "worker-src" {
			if slices.Contains(*words, "'strict-dynamic'") && name != "child-src" {
				return // it admits every worker
			}
			*d = append(*d, append([]string{"worker-src"}, (*words)[1:]...))
			words = d.find("worker-src")
		}
		add(words, source)
		return
	}
}

// originOf returns the origin of an address, such as http://host:8080.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}

// admitTrustedTypes admits a Trusted Types policy by its name.
func (d directives) admitTrustedTypes(name string) {
	if words := d.find("trusted-types"); words != nil {
		add(words, name)
	}
}

// admitOrigin lets a page in a sandbox keep its origin, without which it has no workers and no OPFS.
func (d directives) admitOrigin() {
	if words := d.find("sandbox"); words != nil && !slices.Contains(*words, "allow-same-origin") {
		*words = append(*words, "allow-same-origin")
	}
}

// add adds a value to a directive. 'none' counts only where it is alone.
func add(words *[]string, value string) {
	*words = append(slices.DeleteFunc(*words, func(w string) bool { return strings.EqualFold(w, "'none'") }), value)
}

// withoutFeature returns a Permissions-Policy header without one of its features.
func withoutFeature(header, feature string) string {
	features := slices.DeleteFunc(strings.Split(header, ","), func(f string) bool {
		name, _, _ := strings.Cut(f, "=")
		return strings.EqualFold(strings.TrimSpace(name), feature)
	})
	return strings.TrimSpace(strings.Join(features, ","))
}
