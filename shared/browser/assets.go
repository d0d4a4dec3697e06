package browser

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"

	"helios/shared/fault"
)

// Asset is a resource that a page loaded or failed to load.
type Asset struct {
	// URL is the address, or the decoded path and the query for an asset at [SiteOrigin].
	URL string `json:"url"`
	// File is the path of the file in the composition's folder or S3 prefix. It is empty for assets from elsewhere.
	File string `json:"-"`
	// Kind is the CDP resource type: Document, Image, Font, Script, Stylesheet, Media, Fetch, …
	Kind string `json:"kind"`
	// Status is the HTTP status, or 0 without a response.
	Status int64 `json:"status"`
	// Bytes is the transferred size of the response.
	Bytes int64 `json:"bytes"`
	// Problem is the reason why the asset did not load, or empty if it loaded.
	Problem string `json:"problem,omitempty"`
}

// requiredKinds are the kinds of assets that frames depend on. They do not include fetches: only the page's script
// knows whether a failed fetch matters.
var requiredKinds = map[string]bool{
	"Image": true, "Font": true, "Script": true, "Stylesheet": true, "Media": true, "Document": true,
}

// assetTracker records the requests, responses and exceptions of a page.
type assetTracker struct {
	errorFor   func(url string) error // the proxy's error for a URL, or nil
	hiddenPath string                 // the path of the worker script, or empty

	swapped  atomic.Bool // the document was loaded in a new process
	animated atomic.Bool // an image may be animated

	mu        sync.Mutex
	order     []network.RequestID
	requests  map[network.RequestID]*request
	exception error // the first uncaught exception
}

type request struct {
	Asset
	url     string // the complete address
	pending bool
}

func newAssetTracker(errorFor func(url string) error) *assetTracker {
	return &assetTracker{errorFor: errorFor, requests: map[network.RequestID]*request{}}
}

// isHidden reports whether requests for a URL are not recorded: data URLs, blobs, and requests that Helios adds to the
// page.
func (t *assetTracker) isHidden(address string) bool {
	return strings.HasPrefix(address, "data:") || strings.HasPrefix(address, "blob:") ||
		strings.HasPrefix(address, SiteOrigin+reservedPath) ||
		t.hiddenPath != "" && strings.HasSuffix(address, t.hiddenPath)
}

func (t *assetTracker) onRequest(e network.EventRequestWillBeSent) {
	address := e.Request.URL
	if t.isHidden(address) {
		return
	}
	name, file := AssetName(address)
	t.put(e.RequestID, &request{Asset{URL: name, File: file, Kind: e.Type.String()}, address, true})
}

// put adds a request, or replaces the one with the same ID, as after a redirect.
func (t *assetTracker) put(id network.RequestID, r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.requests[id] == nil {
		t.order = append(t.order, id)
	}
	t.requests[id] = r
}

// add adds an asset unless one with the same URL exists.
func (t *assetTracker) add(a Asset) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.requests {
		if r.URL == a.URL {
			return
		}
	}
	id := network.RequestID("helios " + a.URL)
	t.order = append(t.order, id)
	t.requests[id] = &request{Asset: a, url: a.URL}
}

func (t *assetTracker) onResponse(e network.EventResponseReceived) {
	if e.Type == network.ResourceTypeDocument && hasOpenerPolicy(e.Response.Headers) {
		t.swapped.Store(true)
	}
	if e.Type == network.ResourceTypeImage && mayBeAnimated(e.Response.URL, e.Response.MimeType) {
		t.animated.Store(true)
	}
	t.update(e.RequestID, func(r *request) {
		r.Status = e.Response.Status
		if r.Status >= 400 {
			t.setProblem(r, statusError(r.Status).Error())
		}
	})
}

func (t *assetTracker) onFinished(e network.EventLoadingFinished) {
	t.update(e.RequestID, func(r *request) {
		r.Bytes = int64(e.EncodedDataLength)
		r.pending = false
	})
}

func (t *assetTracker) onFailed(e network.EventLoadingFailed) {
	t.update(e.RequestID, func(r *request) {
		r.pending = false
		if r.Problem == "" && !e.Canceled {
			t.setProblem(r, e.ErrorText)
		}
	})
}

func (t *assetTracker) update(id network.RequestID, change func(*request)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.requests[id]; r != nil {
		change(r)
	}
}

// setProblem records why a request failed. It prefers the error of the proxy, which is more specific than Chromium's.
func (t *assetTracker) setProblem(r *request, problem string) {
	r.Problem = problem
	if err := t.errorFor(r.url); err != nil {
		r.Problem = err.Error()
	}
}

// fail sets the problem of the assets with a URL that have none.
func (t *assetTracker) fail(name, problem string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.requests {
		if r.URL == name && r.Problem == "" {
			r.Problem = problem
		}
	}
}

// onException records the first exception. It ignores rejected promises, such as those of video.play(), because they do
// not change the frame.
func (t *assetTracker) onException(e runtime.EventExceptionThrown) {
	if strings.Contains(e.ExceptionDetails.Text, "(in promise)") {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.exception == nil {
		t.exception = exceptionError(e.ExceptionDetails)
	}
}

// hasOpenerPolicy reports whether headers contain a Cross-Origin-Opener-Policy, for which Chromium loads the document
// in a new process.
func hasOpenerPolicy(headers network.Headers) bool {
	for name, value := range headers {
		if strings.EqualFold(name, "Cross-Origin-Opener-Policy") {
			return fmt.Sprint(value) != "unsafe-none"
		}
	}
	return false
}

func (t *assetTracker) firstException() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.exception
}

// documentError returns the reason why the document with a request ID did not load, or nil if it loaded.
func (t *assetTracker) documentError(id network.RequestID) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.requests[id]; r != nil && r.Problem != "" {
		return fault.Userf("opening %s: %s; check the address", r.URL, r.Problem)
	}
	return nil
}

func (t *assetTracker) assets() []Asset {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]Asset, len(t.order))
	for i, id := range t.order {
		r := t.requests[id]
		if r.Status == 0 && r.Problem == "" {
			// Chromium sends no event when a stylesheet does not exist.
			t.setProblem(r, "")
		}
		list[i] = r.Asset
	}
	return list
}

func (t *assetTracker) missing() (missing []Asset) {
	for _, a := range t.assets() {
		sameURL := func(b Asset) bool { return b.URL == a.URL }
		if a.Problem != "" && requiredKinds[a.Kind] && !slices.ContainsFunc(missing, sameURL) {
			missing = append(missing, a)
		}
	}
	return missing
}

func (t *assetTracker) pending() (urls []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range t.order {
		if r := t.requests[id]; r.pending {
			urls = append(urls, r.URL)
		}
	}
	return urls
}

// AssetName returns the URL and File of the [Asset] at an address.
func AssetName(address string) (name, file string) {
	path, ok := strings.CutPrefix(address, SiteOrigin+"/")
	if !ok {
		return address, ""
	}
	if u, err := url.Parse(address); err == nil {
		file = sitePath(u)
	}
	if name, err := url.PathUnescape(path); err == nil {
		return name, file
	}
	return path, file
}

// exceptionError returns an exception as a fault.User of one line: the thrown value and its position.
func exceptionError(d *runtime.ExceptionDetails) error {
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
		name, _ := AssetName(d.URL)
		text += fmt.Sprintf(" (%s:%d:%d)", name, d.LineNumber+1, d.ColumnNumber+1)
	}
	return fault.Userf("the page threw %s", text)
}
