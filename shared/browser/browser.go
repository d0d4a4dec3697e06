// Package browser runs one Chromium process and its pages, and restricts what the pages can access.
//
// # Processes and pages
//
// [Launch] starts a Chromium. [Browser.Open] opens a [Page] in it. A page is a [Session] of the Chrome DevTools
// Protocol: [Call] sends a command, [On] handles an event, and [Page.Evaluate] runs JavaScript. [Browser.Close] kills
// Chromium and all of its children, and deletes the files that they left.
//
// Chromium paints only on request (beginFrame control). Only its headless shell supports that; [Find] returns its path.
//
// # Isolation
//
// Pages are untrusted code. Chromium inherits only a few environment variables, which contain no secrets. All requests
// of its pages go through one HTTP proxy on the loopback interface. The proxy
//
//   - serves the composition at [SiteOrigin]: the files in its folder or below its prefix in S3, and no others;
//   - serves the handlers that [Browser.Handle] registers;
//   - resolves host names, and then blocks this machine, link-local addresses and the metadata services of clouds;
//   - forwards all other requests.
//
// Only this process has the S3 credentials.
//
// # Assets
//
// A page records everything that it loads: [Page.Assets] lists it, [Page.Missing] lists the required assets that did
// not load, and [Page.Pending] lists the requests without a response. [Browser.LocalFile] and [Download] load other
// files under the same rules as pages.
//
// # Errors
//
// If Chromium exits, all calls fail with a fault.Transient. If a page crashes, the calls of that page do. If the
// document is missing or a script throws, the error is a fault.User.
package browser

import (
	"context"
	"sync"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"

	"helios/shared/fault"
)

// startTimeout limits the time until Chromium responds to its first command: 0.1 s on an idle machine.
const startTimeout = 60 * time.Second

// Options configures a [Browser]. At most one of Folder, S3 and URL is set.
type Options struct {
	// Path is the Chromium executable. Default: the result of [Find].
	Path string
	// Folder is the folder that [SiteOrigin] serves.
	Folder string
	// S3 is the prefix that [SiteOrigin] serves, such as s3://bucket/folder/. Downloaded objects stay in a cache: in
	// the folder that HELIOS_CACHE names, or in the user's cache folder.
	S3 string
	// URL is the address of a composition on the web. If its host is this machine, as for a development server, pages
	// can access that host and port.
	URL string
	// Scale is the device pixel ratio. Default: 1.
	Scale float64
}

// Browser is a running Chromium. If Chromium exits, all calls fail with a fault.Transient.
type Browser struct {
	process   *chromium
	proxy     *proxy
	site      site // nil if the composition is on the web
	downloads downloads
	conn      *connection
	session   *Session
	version   string
	loops     sync.WaitGroup // the goroutines that read from and write to Chromium
	closing   sync.Once
}

// Launch starts Chromium and waits until it responds.
func Launch(ctx context.Context, o Options) (*Browser, error) {
	if o.Path == "" {
		var err error
		if o.Path, err = Find(); err != nil {
			return nil, err
		}
	}
	b := &Browser{}
	if err := b.launch(ctx, o); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func (b *Browser) launch(ctx context.Context, o Options) (err error) {
	if b.site, err = openSite(ctx, o); err != nil {
		return err
	}
	if b.proxy, err = startProxy(b.site, o.URL); err != nil {
		return err
	}
	if b.process, err = startChromium(o.Path, b.proxy.url(), o.Scale); err != nil {
		return err
	}
	return b.connect(ctx, o.Path)
}

// connect sends the first command to Chromium and waits for its response.
func (b *Browser) connect(ctx context.Context, path string) error {
	b.conn = newConnection(b.process.pipe)
	b.loops.Go(b.conn.read)
	b.loops.Go(b.conn.write)
	b.session = b.conn.newSession("")

	timeout := fault.Transientf("chromium did not respond within %s", startTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, timeout)
	defer cancel()
	v, err := Call(ctx, b.session, cdpbrowser.GetVersion, cdp.Empty{})
	if err != nil {
		return b.process.startError(path, err)
	}
	b.version = v.Product
	return nil
}

// Version returns the product and version of Chromium, such as "HeadlessChrome/156.0.8078.79".
func (b *Browser) Version() string { return b.version }

// ProfileDir returns Chromium's profile folder, which also contains the files of the pages. [Browser.Close] deletes it.
func (b *Browser) ProfileDir() string { return b.process.profile.Path() }

// Close kills Chromium and its children and deletes all their files. It may be called more than once, and during
// other calls.
func (b *Browser) Close() { b.closing.Do(b.close) }

func (b *Browser) close() {
	if b.process != nil {
		b.process.stop()
		b.loops.Wait()
	}
	if b.proxy != nil {
		b.proxy.close()
	}
	if b.site != nil {
		b.site.close()
	}
	b.downloads.remove()
}
