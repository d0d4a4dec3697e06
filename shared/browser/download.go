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
	"sync"

	"helios/shared/fault"
	"helios/shared/tempfile"
)

// LocalFile returns the path of a local file with the content of a URL: the file in the composition's folder, or a
// download, which [Browser.Close] deletes. The access rules for pages apply. If the URL cannot be loaded, the error is
// a fault.User.
func (b *Browser) LocalFile(ctx context.Context, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", invalidURL(address, err)
	}
	if f, ok := b.site.(*folder); ok && u.Host == siteHost {
		name := sitePath(u)
		info, err := f.root.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			return "", fault.Wrap(fault.User, statusError(http.StatusNotFound))
		}
		// f.root has checked the links in this path. Opening the path later follows them again, without a check.
		return filepath.Join(f.root.Name(), filepath.FromSlash(name)), nil
	}
	return b.downloads.get(ctx, b.proxy, address)
}

// Download writes the content of a URL to a file. The access rules for pages of a browser with options o apply, except
// that [SiteOrigin] is not available. If the URL cannot be loaded, the error is a fault.User.
func Download(ctx context.Context, o Options, address, file string) error {
	p, err := startProxy(nil, o.URL)
	if err != nil {
		return err
	}
	defer p.close()
	return p.download(ctx, address, file)
}

func invalidURL(address string, err error) error {
	return fault.Userf("%.80s is not a valid URL: %w", address, err)
}

// downloads keeps one local file for each downloaded URL.
type downloads struct {
	mu    sync.Mutex
	dir   *tempfile.Dir
	files map[string]string // paths by URL
}

func (d *downloads) get(ctx context.Context, p *proxy, address string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if path, ok := d.files[address]; ok {
		return path, nil
	}
	if d.dir == nil {
		dir, err := tempfile.MkdirTemp("")
		if err != nil {
			return "", err
		}
		d.dir, d.files = dir, map[string]string{}
	}
	path := filepath.Join(d.dir.Path(), strconv.Itoa(len(d.files)))
	if err := p.download(ctx, address, path); err != nil {
		os.Remove(path)
		return "", err
	}
	d.files[address] = path
	return path, nil
}

func (d *downloads) remove() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dir != nil {
		d.dir.Remove()
	}
}

// download writes the content of a URL to a file.
func (p *proxy) download(ctx context.Context, address, path string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return invalidURL(address, err)
	}
	transport := p.forward.Transport
	if r.URL.Host == siteHost {
		// Only the proxy itself serves this host.
		viaProxy := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: p.listener.Addr().String()})}
		defer viaProxy.CloseIdleConnections()
		transport = viaProxy
	}
	response, err := (&http.Client{Transport: transport}).Do(r)
	switch {
	case errors.Is(err, errBlocked):
		return fault.Wrap(fault.User, errBlocked)
	case err != nil:
		return fault.Wrap(fault.User, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		return fault.Wrap(fault.User, statusError(response.StatusCode))
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, response.Body)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("downloading %.200s: %w", address, err)
	}
	return nil
}
