package browser

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"

	"helios/shared/fault"
)

// Asset is something that a page loaded, or tried to.
type Asset struct {
	// URL is its address; for a local composition, the path in its folder.
	URL string `json:"url"`
	// File is the path of the file in the composition's folder; empty for what came from elsewhere.
	File string `json:"-"`
	// Kind is what the page wanted it for: Document, Image, Font, Script, Stylesheet, Media, Fetch, …
	Kind string `json:"kind"`
	// Status is the HTTP status, 0 when there was no answer.
	Status int64 `json:"status"`
	// Bytes is what came over the wire.
	Bytes int64 `json:"bytes"`
	// Problem says why it could not be had; empty when it could.
	Problem string `json:"problem,omitempty"`
}

// parts are the kinds of asset that a page cannot do without. Whether a failed fetch matters only the
// page's own script knows.
var parts = map[string]bool{"Image": true, "Font": true, "Script": true, "Stylesheet": true, "Media": true, "Document": true}

// watch notes what happens to a page between our commands.
type watch struct {
	problem func(url string) error // why the door let nobody through to a URL; nil if it did
	hidden  string                 // the path of a script of ours, "" if there is none

	mu       sync.Mutex
	order    []network.RequestID
	loads    map[network.RequestID]*load
	thrown   error
	animated bool // there is an image that may be animated
	moved    bool // a document had a policy that gives it a process of its own
}

// load is an asset on its way, or there.
type load struct {
	Asset
	url  string // in full
	open bool
}

func newWatch(problem func(url string) error) *watch {
	return &watch{problem: problem, loads: map[network.RequestID]*load{}}
}

func (w *watch) requested(e network.EventRequestWillBeSent) {
	if strings.HasPrefix(e.Request.URL, "data:") || strings.HasPrefix(e.Request.URL, "blob:") || strings.HasPrefix(e.Request.URL, SiteOrigin+reserved) ||
		w.hidden != "" && strings.HasSuffix(e.Request.URL, w.hidden) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.loads[e.RequestID] == nil {
		w.order = append(w.order, e.RequestID)
	}
	w.loads[e.RequestID] = &load{Asset{URL: shorten(e.Request.URL), File: file(e.Request.URL), Kind: e.Type.String()}, e.Request.URL, true}
}

// note adds an asset, unless there is one of its address.
func (w *watch) note(a Asset) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.loads {
		if l.URL == a.URL {
			return
		}
	}
	id := network.RequestID("helios " + a.URL)
	w.order = append(w.order, id)
	w.loads[id] = &load{Asset: a, url: a.URL}
}

func (w *watch) responded(e network.EventResponseReceived) {
	if e.Type == network.ResourceTypeDocument && hasOpenerPolicy(e.Response.Headers) {
		w.mu.Lock()
		w.moved = true
		w.mu.Unlock()
	}
	if e.Type == network.ResourceTypeImage && mayBeAnimated(e.Response.URL, e.Response.MimeType) {
		w.mu.Lock()
		w.animated = true
		w.mu.Unlock()
	}
	w.update(e.RequestID, func(l *load) {
		l.Status = e.Response.Status
		if l.Status >= 400 {
			w.spoil(l, fmt.Sprintf("HTTP status %d", l.Status))
		}
	})
}

func (w *watch) finished(e network.EventLoadingFinished) {
	w.update(e.RequestID, func(l *load) {
		l.Bytes = int64(e.EncodedDataLength)
		l.open = false
	})
}

func (w *watch) failed(e network.EventLoadingFailed) {
	w.update(e.RequestID, func(l *load) {
		l.open = false
		if l.Problem == "" && !e.Canceled {
			w.spoil(l, e.ErrorText)
		}
	})
}

func (w *watch) update(id network.RequestID, change func(*load)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l := w.loads[id]; l != nil {
		change(l)
	}
}

// spoil notes why an asset cannot be had; the door may know it better than Chromium.
func (w *watch) spoil(l *load, problem string) {
	l.Problem = problem
	if err := w.problem(l.url); err != nil {
		l.Problem = err.Error()
	}
}

// useless notes that the assets at an address came, but cannot be used.
func (w *watch) useless(url, problem string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.loads {
		if l.URL == url && l.Problem == "" {
			l.Problem = problem
		}
	}
}

// threw notes an exception. A promise that nobody waits for, such as that of video.play(), breaks no
// picture.
func (w *watch) threw(e runtime.EventExceptionThrown) {
	if strings.Contains(e.ExceptionDetails.Text, "(in promise)") {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.thrown == nil {
		w.thrown = fault.Userf("the page threw %s", describe(e.ExceptionDetails))
	}
}

// hasOpenerPolicy reports whether a page asks for a process that it does not share, by the header
// Cross-Origin-Opener-Policy.
func hasOpenerPolicy(headers network.Headers) bool {
	for name, value := range headers {
		if strings.EqualFold(name, "Cross-Origin-Opener-Policy") {
			return fmt.Sprint(value) != "unsafe-none"
		}
	}
	return false
}

func (w *watch) hasMoved() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.moved
}

func (w *watch) hasAnimated() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.animated
}

func (w *watch) exception() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.thrown
}

// documentError says what was wrong with a page itself.
func (w *watch) documentError(id network.RequestID) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l := w.loads[id]; l != nil && l.Problem != "" {
		return fault.Userf("opening %s: %s; check the address", l.URL, l.Problem)
	}
	return nil
}

func (w *watch) list() []Asset {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]Asset, len(w.order))
	for i, id := range w.order {
		l := w.loads[id]
		if l.Status == 0 && l.Problem == "" {
			// Chromium does not tell what became of a stylesheet that is not there; the door knows.
			w.spoil(l, "")
		}
		list[i] = l.Asset
	}
	return list
}

func (w *watch) missing() (missing []Asset) {
	for _, a := range w.list() {
		same := func(b Asset) bool { return b.URL == a.URL }
		if a.Problem != "" && parts[a.Kind] && !slices.ContainsFunc(missing, same) {
			missing = append(missing, a)
		}
	}
	return missing
}

func (w *watch) pendingURLs() (urls []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.order {
		if l := w.loads[id]; l.open {
			urls = append(urls, l.URL)
		}
	}
	return urls
}

// shorten turns an address at our own origin into the path that the user knows.
func shorten(address string) string {
	path, ok := strings.CutPrefix(address, SiteOrigin+"/")
	if !ok {
		return address
	}
	if name, err := url.PathUnescape(path); err == nil {
		return name
	}
	return path
}

// file returns the path in the composition's folder of what is at an address, "" if that is elsewhere.
func file(address string) string {
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, SiteOrigin+"/") {
		return ""
	}
	return sitePath(u)
}

// describe tells an exception in one line: what was thrown and where.
func describe(d *runtime.ExceptionDetails) string {
	text := d.Text
	if d.Exception != nil {
		switch {
		case d.Exception.Description != "":
			text, _, _ = strings.Cut(d.Exception.Description, "\n")
		case len(d.Exception.Value) > 0:
			text = string(d.Exception.Value)
		}
	}
	if d.URL != "" {
		text += fmt.Sprintf(" (%s:%d:%d)", shorten(d.URL), d.LineNumber+1, d.ColumnNumber+1)
	}
	return text
}
