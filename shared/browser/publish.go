package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"helios/shared/fault"
	"helios/shared/tempfile"
)

// reserved is where Helios itself answers a page, on the composition's own origin.
const reserved = "/.helios/"

// Handle lets pages reach a handler, which sees the rest of the path that follows the address, until it is
// withdrawn. What pages load from there is none of their assets.
func (b *Browser) Handle(h http.Handler) (address string, withdraw func()) {
	path := reserved + strconv.FormatInt(b.door.published.add(h), 10) + "/"
	return SiteOrigin + path, func() { b.door.published.remove(path) }
}

// published are the handlers behind the reserved path.
type published struct {
	mu       sync.RWMutex
	count    int64
	handlers map[string]http.Handler
}

func (p *published) add(h http.Handler) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.handlers == nil {
		p.handlers = map[string]http.Handler{}
	}
	p.count++
	path := reserved + strconv.FormatInt(p.count, 10) + "/"
	p.handlers[path] = http.StripPrefix(path, h)
	return p.count
}

func (p *published) remove(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.handlers, path)
}

func (p *published) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, reserved), "/")
	p.mu.RLock()
	h := p.handlers[reserved+id+"/"]
	p.mu.RUnlock()
	if h == nil {
		http.NotFound(w, r)
		return
	}
	h.ServeHTTP(w, r)
}

// AssetName returns what an Asset calls an address: the address, or the path in the composition's folder, and
// the file there if it is one.
func AssetName(address string) (url, local string) { return shorten(address), file(address) }

// LocalFile returns the path of a file with what is at an address that a page uses: the one in the composition's
// folder, or a copy of what is on the web, which the browser keeps until it is closed. The same is refused
// that is refused to pages. What cannot be had is a fault.User.
func (b *Browser) LocalFile(ctx context.Context, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fault.Userf("%.80s is no address: %w", address, err)
	}
	if folder, ok := b.site.(*disk); ok && u.Host == siteHost {
		name := sitePath(u)
		info, err := folder.root.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			return "", fault.Wrap(fault.User, statusError(http.StatusNotFound))
		}
		// The root vouches for the file, not for the name of the way to it.
		return filepath.Join(folder.root.Name(), filepath.FromSlash(name)), nil
	}
	return b.copies.get(ctx, b.door, address)
}

// Download writes what is at an address on the web to a file, by the rules for the pages of a browser with these
// options. What cannot be had is a fault.User.
func Download(ctx context.Context, o Options, address, file string) error {
	d, err := openDoor(nil, o.URL)
	if err != nil {
		return err
	}
	defer d.close()
	return d.download(ctx, address, file)
}

// copies are the files that were fetched from the web.
type copies struct {
	mu    sync.Mutex
	dir   *tempfile.Dir
	files map[string]string
}

func (c *copies) get(ctx context.Context, d *door, address string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if path, ok := c.files[address]; ok {
		return path, nil
	}
	if c.dir == nil {
		dir, err := tempfile.MkdirTemp("")
		if err != nil {
			return "", err
		}
		c.dir, c.files = dir, map[string]string{}
	}
	path := filepath.Join(c.dir.Path(), strconv.Itoa(len(c.files)))
	if err := d.download(ctx, address, path); err != nil {
		os.Remove(path)
		return "", err
	}
	c.files[address] = path
	return path, nil
}

func (c *copies) remove() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dir != nil {
		c.dir.Remove()
	}
}

// download writes what is at an address to a file, by the rules for pages.
func (d *door) download(ctx context.Context, address, path string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fault.Userf("%.80s is no address: %w", address, err)
	}
	way := d.forward.Transport
	if r.URL.Host == siteHost {
		// As a page asks for it, by this proxy.
		self := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: d.listener.Addr().String()})}
		defer self.CloseIdleConnections()
		way = self
	}
	answer, err := (&http.Client{Transport: way}).Do(r)
	switch {
	case errors.Is(err, errRefused):
		return fault.Wrap(fault.User, errRefused)
	case err != nil:
		return fault.Wrap(fault.User, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		return fault.Wrap(fault.User, statusError(answer.StatusCode))
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, answer.Body)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("fetching %.200s: %w", address, err)
	}
	return nil
}
