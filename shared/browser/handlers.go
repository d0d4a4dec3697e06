package browser

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// reservedPath is the path on [SiteOrigin] below which Helios serves its own resources.
const reservedPath = "/.helios/"

// Handle registers a handler until the caller calls unregister. The handler gets the requests of all pages below the
// returned URL, with the path relative to that URL. Pages do not record these requests as assets.
func (b *Browser) Handle(h http.Handler) (url string, unregister func()) {
	path := b.proxy.handlers.register(h)
	return SiteOrigin + path, func() { b.proxy.handlers.unregister(path) }
}

// handlers is the registry of the handlers below reservedPath.
type handlers struct {
	mu     sync.RWMutex
	lastID int64
	byPath map[string]http.Handler // such as /.helios/1/
}

func (hs *handlers) register(h http.Handler) (path string) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.byPath == nil {
		hs.byPath = map[string]http.Handler{}
	}
	hs.lastID++
	path = reservedPath + strconv.FormatInt(hs.lastID, 10) + "/"
	hs.byPath[path] = http.StripPrefix(path, h)
	return path
}

func (hs *handlers) unregister(path string) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	delete(hs.byPath, path)
}

func (hs *handlers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, reservedPath), "/")
	hs.mu.RLock()
	h := hs.byPath[reservedPath+id+"/"]
	hs.mu.RUnlock()
	if h == nil {
		http.NotFound(w, r)
		return
	}
	h.ServeHTTP(w, r)
}
