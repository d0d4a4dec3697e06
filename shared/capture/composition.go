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

// Composition is the location of a page: in a local folder, in S3, or on the web.
type Composition struct {
	// Input is what the user entered.
	Input string
	// Folder contains a local composition and all files that it may read.
	Folder string
	// S3 is the s3:// URL of the prefix that contains the composition. It ends with a slash.
	S3 string
	// Page is the path of the page, relative to the folder or the prefix, with forward slashes.
	Page string
	// URL is the URL of a composition on the web.
	URL string
}

// Locate returns the composition that an input names: an HTML file, a folder with an index.html, an http(s) URL, or
// s3://bucket/folder/page.html or s3://bucket/folder/. Keys in S3 are not escaped. A relative path is relative to dir.
// Locate does not open remote compositions. Its error is a fault.User.
func Locate(dir, input string) (Composition, error) {
	if addr.IsS3(input) {
		return locateS3(input)
	}
	if addr.IsHTTP(input) {
		if u, err := url.Parse(input); err != nil || u.Host == "" {
			return Composition{}, fault.Userf("%s is not a URL; use one like http://host/page.html", input)
		}
		return Composition{Input: input, URL: input}, nil
	}
	file := input
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Composition{}, fault.Userf("%s does not exist; use an HTML file, a folder with an index.html, or a URL", input)
	}
	if err != nil {
		return Composition{}, fault.Userf("opening %s: %w", input, err)
	}
	if !info.IsDir() {
		return Composition{Input: input, Folder: filepath.Dir(file), Page: filepath.Base(file)}, nil
	}
	if _, err := os.Stat(filepath.Join(file, "index.html")); err != nil {
		return Composition{}, fault.Userf("the folder %s has no index.html; name the page", input)
	}
	return Composition{Input: input, Folder: file, Page: "index.html"}, nil
}

func locateS3(input string) (Composition, error) {
	bucket, key, ok := addr.SplitS3(input)
	if !ok {
		return Composition{}, fault.Userf("%s is not a URL; use one like s3://bucket/folder/page.html", input)
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

// BrowserOptions returns the options of a browser for the composition. The scale is the device pixel ratio.
func (c Composition) BrowserOptions(scale float64) browser.Options {
	return browser.Options{Folder: c.Folder, S3: c.S3, URL: c.URL, Scale: scale}
}

// pageURL returns the URL that the browser opens.
func (c Composition) pageURL() string {
	if c.URL != "" {
		return c.URL
	}
	return browser.SiteOrigin + (&url.URL{Path: "/" + c.Page}).EscapedPath()
}
