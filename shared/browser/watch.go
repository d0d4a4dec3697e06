package browser

import (
	"fmt"
	"net/url"
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
	// Kind is what the page wanted it for: Document, Image, Font, Script, Stylesheet, Media, Fetch, …
	Kind string `json:"kind"`
	// Status is the HTTP status, 0 when there was no answer.
	Status int64 `json:"status"`
	// Bytes is what came over the wire.
	Bytes int64 `json:"bytes"`
	// Problem says why it could not be had; empty when it could.
	Problem string `json:"problem,omitempty"`
}

// Path returns the asset's path in the composition's folder, or "" when it came from elsewhere.
func (a Asset) Path() string {
	if strings.Contains(a.URL, "://") {
		return ""
	}
	name, _, _ := strings.Cut(a.URL, "?")
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	}
	return name
}

// parts are the kinds of asset that a page cannot do without. Whether a failed fetch matters only the
// page's own script knows.
var parts = map[string]bool{"Image": true, "Font": true, "Script": true, "Stylesheet": true, "Media": true, "Document": true}

// watch notes what happens to a page between our commands.
type watch struct {
	mu       sync.Mutex
	order    []network.RequestID
	assets   map[network.RequestID]*Asset
	open     map[network.RequestID]bool
	thrown   error
	fatal    error
	dead     chan struct{} // closed when fatal is set
	document network.RequestID
}

func newWatch() *watch {
	return &watch{assets: map[network.RequestID]*Asset{}, open: map[network.RequestID]bool{}, dead: make(chan struct{})}
}

func (w *watch) requested(e network.EventRequestWillBeSent) {
	if strings.HasPrefix(e.Request.URL, "data:") || strings.HasPrefix(e.Request.URL, "blob:") {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.assets[e.RequestID] == nil {
		w.order = append(w.order, e.RequestID)
	}
	if w.document == "" {
		w.document = e.RequestID
	}
	w.assets[e.RequestID] = &Asset{URL: shorten(e.Request.URL), Kind: e.Type.String()}
	w.open[e.RequestID] = true
}

func (w *watch) responded(e network.EventResponseReceived) {
	w.update(e.RequestID, func(a *Asset) {
		a.Status = e.Response.Status
		if a.Status >= 400 {
			a.Problem = fmt.Sprintf("HTTP status %d", a.Status)
		}
	})
}

func (w *watch) finished(e network.EventLoadingFinished) {
	w.update(e.RequestID, func(a *Asset) {
		a.Bytes = int64(e.EncodedDataLength)
		delete(w.open, e.RequestID)
	})
}

func (w *watch) failed(e network.EventLoadingFailed) {
	w.update(e.RequestID, func(a *Asset) {
		delete(w.open, e.RequestID)
		if a.Problem == "" && !e.Canceled {
			a.Problem = e.ErrorText
		}
	})
}

func (w *watch) update(id network.RequestID, change func(*Asset)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a := w.assets[id]; a != nil {
		change(a)
	}
}

func (w *watch) spoil(url, problem string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.assets {
		if a.URL == url && a.Problem == "" {
			a.Problem = problem
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

// fail notes that the page is beyond help.
func (w *watch) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fatal == nil {
		w.fatal = err
		close(w.dead)
	}
}

func (w *watch) deadly() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fatal
}

func (w *watch) exception() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.thrown
}

// documentError says what was wrong with the page itself.
func (w *watch) documentError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a := w.assets[w.document]; a != nil && a.Problem != "" {
		return fault.Userf("opening %s: %s; check the address", a.URL, a.Problem)
	}
	return nil
}

func (w *watch) list() []Asset {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]Asset, len(w.order))
	for i, id := range w.order {
		list[i] = *w.assets[id]
	}
	return list
}

func (w *watch) missing() (missing []Asset) {
	for _, a := range w.list() {
		if a.Problem != "" && parts[a.Kind] {
			missing = append(missing, a)
		}
	}
	return missing
}

func (w *watch) pendingURLs() (urls []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.order {
		if w.open[id] {
			urls = append(urls, w.assets[id].URL)
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
