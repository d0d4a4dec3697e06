package capture

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"helios/shared/addr"
	"helios/shared/browser"
	"helios/shared/fault"
)

// Composition is where a page is to be had: in a folder, in S3 or on the web.
type Composition struct {
	// Input is what the user called it.
	Input string
	// Folder holds a local composition and everything that it may read.
	Folder string
	// S3 is the address of the prefix that holds a composition in a bucket, with a slash at its end.
	S3 string
	// Page is the page's path in the folder or below the prefix, with slashes.
	Page string
	// URL is the address of a composition on the web.
	URL string
}

// Locate finds a composition: an HTML file, a folder with an index.html, an http(s) URL, or the like of the
// former two in S3: s3://bucket/folder/page.html, s3://bucket/folder/. Keys are written as they are, without
// escapes. A relative path is relative to dir. The error is a fault.User. What is not on the disk is not looked
// at.
func Locate(dir, input string) (Composition, error) {
	if addr.IsS3(input) {
		return locateS3(input)
	}
	if addr.IsHTTP(input) {
		if u, err := url.Parse(input); err != nil || u.Host == "" {
			return Composition{}, fault.Userf("%s is not an address; give one like http://host/page.html", input)
		}
		return Composition{Input: input, URL: input}, nil
	}
	file := input
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Composition{}, fault.Userf("%s does not exist; give an HTML file, a folder with an index.html or a URL", input)
	}
	if err != nil {
		return Composition{}, fault.Userf("opening %s: %w", input, err)
	}
	if !info.IsDir() {
		return Composition{Input: input, Folder: filepath.Dir(file), Page: filepath.Base(file)}, nil
	}
	if _, err := os.Stat(filepath.Join(file, "index.html")); err != nil {
		return Composition{}, fault.Userf("the folder %s has no index.html; give the page itself", input)
	}
	return Composition{Input: input, Folder: file, Page: "index.html"}, nil
}

func locateS3(input string) (Composition, error) {
	bucket, key, ok := addr.SplitS3(input)
	if !ok {
		return Composition{}, fault.Userf("%s is not an address; give one like s3://bucket/folder/page.html", input)
	}
	folder, page := path.Split(key)
	if ext := strings.ToLower(path.Ext(page)); ext != ".html" && ext != ".htm" {
		folder, page = key, "index.html"
	}
	if folder != "" && !strings.HasSuffix(folder, "/") {
		folder += "/"
	}
	return Composition{Input: input, S3: "s3://" + bucket + "/" + folder, Page: page}, nil
}

// Browser returns the options for a browser that can show the composition, with so many pixels of a frame for
// each CSS pixel in each direction.
func (c Composition) Browser(scale float64) browser.Options {
	return browser.Options{Folder: c.Folder, S3: c.S3, URL: c.URL, Scale: scale}
}

// address is what the browser opens.
func (c Composition) pageURL() string {
	if c.URL != "" {
		return c.URL
	}
	return browser.SiteOrigin + (&url.URL{Path: "/" + c.Page}).EscapedPath()
}
