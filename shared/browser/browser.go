// Package browser runs one Chromium process and its pages: it starts it, talks to it, watches it and stops
// it, and it decides what a page may reach.
//
// Pages are not trusted. Chromium sees none of our environment, and every request of a page goes through
// one proxy on loopback, the door: it serves a local composition from its folder and from nowhere else,
// refuses loopback and link-local addresses, and passes on the rest.
//
// Chromium draws only when it is told to (beginFrame control), which is why it has to be the headless
// shell. See docs/architecture.md.
package browser

import (
	"context"
	"sync"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"

	"helios/shared/fault"
)

// startTimeout is how long Chromium may take to answer its first command. It needs a tenth of a second on
// an idle machine.
const startTimeout = 60 * time.Second

// Options says what to start and what its pages may reach.
type Options struct {
	// Path is the Chromium to run; empty means the one that [Find] finds.
	Path string
	// Folder is served at [SiteOrigin]; empty for a composition that is elsewhere.
	Folder string
	// S3 is the address of a prefix that is served at [SiteOrigin], such as s3://bucket/folder/; empty for a
	// composition that is elsewhere. What is fetched is kept in the user's cache folder, or in that which
	// HELIOS_CACHE names.
	S3 string
	// URL is the composition's address when it is on the web. A loopback address makes its host and
	// port the one on this machine that pages may reach.
	URL string
	// Scale is the device pixel ratio of its pages; 0 is 1.
	Scale float64
}

// Browser is a running Chromium. Close ends it; so does a kill from outside, after which every call fails
// with a fault.Transient.
type Browser struct {
	process *chromium
	door    *door
	site    site // nil when the composition is on the web
	copies  copies
	conn    *connection
	session *Session
	version string
	talking sync.WaitGroup // those who read and write what the connection carries
	closing sync.Once
}

// Launch starts Chromium and waits until it answers.
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
	if b.door, err = openDoor(b.site, o.URL); err != nil {
		return err
	}
	if b.process, err = start(o.Path, b.door.address(), o.Scale); err != nil {
		return err
	}
	return b.connect(ctx, o.Path)
}

// openSite returns where the composition's files are; nil for one that is on the web.
func openSite(ctx context.Context, o Options) (site, error) {
	switch {
	case o.Folder != "":
		return openDisk(o.Folder)
	case o.S3 != "":
		return openBucket(ctx, o.S3)
	}
	return nil, nil
}

// connect begins to talk to the Chromium that was just started.
func (b *Browser) connect(ctx context.Context, path string) error {
	b.conn = newConnection(b.process.pipe)
	b.talking.Go(b.conn.read)
	b.talking.Go(b.conn.write)
	b.session = b.conn.session("")

	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fault.Transientf("chromium did not answer within %s", startTimeout))
	defer cancel()
	v, err := Call(ctx, b.session, cdpbrowser.GetVersion, cdp.Empty{})
	if err != nil {
		return b.process.explain(path, err)
	}
	b.version = v.Product
	return nil
}

// Version returns Chromium's name and version, such as "HeadlessChrome/156.0.8078.79".
func (b *Browser) Version() string { return b.version }

// ProfileDir returns the folder in which Chromium keeps the files of its pages while it runs.
func (b *Browser) ProfileDir() string { return b.process.profile.Path() }

// Close kills Chromium and all its children, and removes everything it left on the disk. It can be called
// more than once, and while calls are under way.
func (b *Browser) Close() { b.closing.Do(b.close) }

func (b *Browser) close() {
	if b.process != nil {
		b.process.stop()
		b.talking.Wait()
	}
	if b.door != nil {
		b.door.close()
	}
	if b.site != nil {
		b.site.close()
	}
	b.copies.remove()
}
