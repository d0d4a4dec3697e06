package capture

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"helios/shared/browser"
	"helios/shared/fault"
)

// Composition is where a page is to be had: in a folder or on the web.
type Composition struct {
	// Input is what the user called it.
	Input string
	// Folder holds a local composition and everything that it may read.
	Folder string
	// Page is the page's path in the folder, with slashes.
	Page string
	// URL is the address of a composition on the web.
	URL string
}

// IsURL reports whether an input names a page on the web, not a file.
func IsURL(input string) bool {
	return strings.HasPrefix(input, "http://") || strings.HasPrefix(input, "https://")
}

// Locate finds a composition: an HTML file, a folder with an index.html, or an http(s) URL. A relative path
// is relative to dir. The error is a fault.User.
func Locate(dir, input string) (Composition, error) {
	if IsURL(input) {
		if u, err := url.Parse(input); err != nil || u.Host == "" {
			return Composition{}, fault.Userf("%s is not an address; give one like http://host/page.html", input)
		}
		return Composition{Input: input, URL: input}, nil
	}
	path := input
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Composition{}, fault.Userf("%s does not exist; give an HTML file, a folder with an index.html or a URL", input)
	}
	if err != nil {
		return Composition{}, fault.Userf("opening %s: %w", input, err)
	}
	if !info.IsDir() {
		return Composition{Input: input, Folder: filepath.Dir(path), Page: filepath.Base(path)}, nil
	}
	if _, err := os.Stat(filepath.Join(path, "index.html")); err != nil {
		return Composition{}, fault.Userf("the folder %s has no index.html; give the page itself", input)
	}
	return Composition{Input: input, Folder: path, Page: "index.html"}, nil
}

// Browser returns the options for a browser that can show the composition, with so many pixels of a frame for
// each CSS pixel in each direction.
func (c Composition) Browser(scale float64) browser.Options {
	return browser.Options{Folder: c.Folder, URL: c.URL, Scale: scale}
}

// address is what the browser opens.
func (c Composition) address() string {
	if c.URL != "" {
		return c.URL
	}
	return browser.SiteOrigin + (&url.URL{Path: "/" + c.Page}).EscapedPath()
}
