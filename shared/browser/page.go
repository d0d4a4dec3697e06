package browser

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/cdproto/target"

	"helios/shared/fault"
)

var errCrashed = fault.Transientf("the page crashed, perhaps because memory ran out")

// PageOptions configures a [Page].
type PageOptions struct {
	// Width and Height are the size of the viewport in CSS pixels.
	Width, Height int
	// Transparent makes the default background transparent instead of white.
	Transparent bool
	// Script runs in every document and frame before the scripts of the page.
	Script string
	// IsolatedScript runs like Script, but in the world of [Page.IsolatedWorld].
	IsolatedScript string
	// Worker is a script that IsolatedScript may run in a worker, or nil.
	Worker *Worker
	// BlockMedia replaces the responses to requests of media elements with empty ones, so that Chromium does not play
	// them.
	BlockMedia bool
}

// Page is a tab that paints only on beginFrame commands. It is not safe for concurrent use.
type Page struct {
	*Session
	browser     *Browser
	target      target.ID
	assets      *assetTracker
	loaded      chan struct{} // receives a value at each load event
	interceptor *interceptor
}

// Open opens an empty page.
func (b *Browser) Open(ctx context.Context, o PageOptions) (*Page, error) {
	p, err := b.attach(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("opening a page: %w", err)
	}
	p.interceptor = newInterceptor(p, o.Worker)
	p.listen()
	if err := p.configure(ctx, o); err != nil {
		p.interceptor.close()
		b.conn.removeSession(p.id)
		return nil, fmt.Errorf("opening a page: %w", err)
	}
	return p, nil
}

// attach creates a target and attaches to it.
func (b *Browser) attach(ctx context.Context, o PageOptions) (*Page, error) {
	yes := true
	created, err := Call(ctx, b.session, target.CreateTarget, target.CreateTargetParams{
		URL: "about:blank", Width: int64(o.Width), Height: int64(o.Height), EnableBeginFrameControl: &yes,
	})
	if err != nil {
		return nil, err
	}
	params := target.AttachToTargetParams{TargetID: created.TargetID, Flatten: &yes}
	attached, err := Call(ctx, b.session, target.AttachToTarget, params)
	if err != nil {
		return nil, err
	}
	assets := newAssetTracker(b.proxy.errorFor)
	if o.Worker != nil {
		assets.hiddenPath = o.Worker.Path
	}
	return &Page{
		Session: b.conn.newSession(attached.SessionID), browser: b, target: created.TargetID,
		assets: assets, loaded: make(chan struct{}, 1),
	}, nil
}

// listen registers the event handlers.
func (p *Page) listen() {
	On(p.Session, page.LoadEventFired, func(page.EventLoadEventFired) {
		select {
		case p.loaded <- struct{}{}:
		default:
		}
	})
	On(p.Session, network.RequestWillBeSent, p.assets.onRequest)
	On(p.Session, network.ResponseReceived, p.assets.onResponse)
	On(p.Session, network.LoadingFinished, p.assets.onFinished)
	On(p.Session, network.LoadingFailed, p.assets.onFailed)
	On(p.Session, runtime.ExceptionThrown, p.assets.onException)
	On(p.Session, inspector.TargetCrashed, func(inspector.EventTargetCrashed) { p.end(errCrashed) })
}

// configure enables the events and applies the options.
func (p *Page) configure(ctx context.Context, o PageOptions) error {
	for _, enable := range []cdp.Command[cdp.Empty, cdp.Empty]{runtime.Enable, inspector.Enable} {
		if _, err := Call(ctx, p.Session, enable, cdp.Empty{}); err != nil {
			return err
		}
	}
	if _, err := Call(ctx, p.Session, page.Enable, page.EnableParams{}); err != nil {
		return err
	}
	if _, err := Call(ctx, p.Session, network.Enable, network.EnableParams{}); err != nil {
		return err
	}
	// Delete the data that earlier pages of this browser stored.
	_, err := Call(ctx, p.Session, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{
		Origin: "*", StorageTypes: "cookies,local_storage,indexeddb,service_workers,cache_storage",
	})
	if err != nil {
		return err
	}
	if o.Transparent {
		// The JSON encoding omits an alpha of 0, and Chromium's default is 1.
		const transparent = 0.001
		params := emulation.SetDefaultBackgroundColorOverrideParams{Color: &cdp.RGBA{A: transparent}}
		if _, err := Call(ctx, p.Session, emulation.SetDefaultBackgroundColorOverride, params); err != nil {
			return err
		}
	}
	if err := p.interceptor.enable(ctx, o); err != nil {
		return err
	}
	for _, script := range []page.AddScriptToEvaluateOnNewDocumentParams{
		{Source: o.Script}, {Source: o.IsolatedScript, WorldName: isolatedWorld},
	} {
		if script.Source == "" {
			continue
		}
		if _, err := Call(ctx, p.Session, page.AddScriptToEvaluateOnNewDocument, script); err != nil {
			return err
		}
	}
	return nil
}

// Navigate opens a URL and waits for the load event. If the document does not load, the error is a fault.User.
func (p *Page) Navigate(ctx context.Context, url string) error {
	select {
	case <-p.loaded: // the load event of the previous document
	default:
	}
	result, err := Call(ctx, p.Session, page.Navigate, page.NavigateParams{URL: url})
	if err != nil {
		return err
	}
	document := network.RequestID(result.LoaderID)
	if result.ErrorText != "" {
		if err := p.assets.documentError(document); err != nil {
			return err
		}
		return fault.Userf("opening %s: %s; use the address of a page", url, result.ErrorText)
	}
	select {
	case <-p.loaded:
	case <-p.Done():
		return p.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return p.assets.documentError(document)
}

// MainFrame returns the ID of the page's main frame, which equals the target ID.
func (p *Page) MainFrame() cdp.FrameID { return cdp.FrameID(p.target) }

// Pending returns the URLs of the requests in progress.
func (p *Page) Pending() []string { return p.assets.pending() }

// Assets returns the assets that the page requested so far, in the order of the requests.
func (p *Page) Assets() []Asset { return p.assets.assets() }

// Missing returns the required assets that did not load, each URL once: images, fonts, scripts, stylesheets, media and
// documents.
func (p *Page) Missing() []Asset { return p.assets.missing() }

// AddAsset adds an asset that the page needs but did not request, such as a video. It does nothing if an asset with
// that URL exists.
func (p *Page) AddAsset(a Asset) { p.assets.add(a) }

// FailAsset marks loaded assets at an address as failed, for example because they cannot be decoded.
func (p *Page) FailAsset(address, problem string) {
	name, _ := AssetName(address)
	p.assets.fail(name, problem)
}

// TransientError returns the first error of a composition file that a retry may fix, a fault.Transient, or nil.
func (p *Page) TransientError() error {
	if err := p.browser.proxy.transient.Load(); err != nil {
		return *err
	}
	return nil
}

// S3Stalled returns a fault.Transient if a request to S3 is in progress, or nil.
func (p *Page) S3Stalled() error {
	if b, ok := p.browser.site.(*bucket); ok && p.browser.proxy.pending.Load() > 0 {
		return fault.Transientf("%s does not respond", b.objects.URL(""))
	}
	return nil
}

// CPUTime returns the CPU time that the browser's processes used.
func (p *Page) CPUTime() time.Duration { return p.browser.process.CPUTime() }

// SwappedProcess reports whether Chromium loaded the document in a new process instead of that of the empty page.
func (p *Page) SwappedProcess() bool { return p.assets.swapped.Load() }

// HasAnimatedImage reports whether the page loaded an image that may be animated.
func (p *Page) HasAnimatedImage() bool {
	return p.assets.animated.Load() || p.browser.proxy.animated.Load()
}

// Exception returns the first uncaught exception of the page's scripts, a fault.User, or nil.
func (p *Page) Exception() error { return p.assets.firstException() }

// Close closes the page.
func (p *Page) Close(ctx context.Context) error {
	defer p.conn.removeSession(p.id)
	defer p.interceptor.close()
	_, err := Call(ctx, p.browser.session, target.CloseTarget, target.CloseTargetParams{TargetID: p.target})
	return err
}
