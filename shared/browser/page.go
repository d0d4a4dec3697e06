package browser

import (
	"context"
	"encoding/json"
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

// ErrCrashed is why a page is dead whose process crashed, while Chromium lives on. It is a fault.Transient.
var ErrCrashed = fault.Transientf("the page's process crashed, perhaps for lack of memory")

// PageOptions says how a page is made.
type PageOptions struct {
	// Width and Height are the size of the viewport in CSS pixels.
	Width, Height int
	// Transparent shows nothing, not white, where the page paints nothing.
	Transparent bool
	// Script runs in every document and frame before any script of theirs.
	Script string
	// IsolatedScript does, too, but in the world that [Page.Isolate] returns, which scripts of the page cannot see.
	IsolatedScript string
	// Worker is a script that Isolated may run in a worker; nil if it has none.
	Worker *Worker
	// BlockMedia keeps media from Chromium: its media elements find nothing that they could play.
	BlockMedia bool
}

// Page is a tab that draws only when it is told to. It is for one goroutine at a time.
type Page struct {
	*Session
	browser *Browser
	target  target.ID
	watch   *watch
	loaded  chan struct{} // gets a value at each load event
	answers *interceptor
}

// Open makes an empty page.
func (b *Browser) Open(ctx context.Context, o PageOptions) (*Page, error) {
	yes := true
	created, err := Call(ctx, b.session, target.CreateTarget, target.CreateTargetParams{
		URL: "about:blank", Width: int64(o.Width), Height: int64(o.Height), EnableBeginFrameControl: &yes,
	})
	if err != nil {
		return nil, fmt.Errorf("opening a page: %w", err)
	}
	attached, err := Call(ctx, b.session, target.AttachToTarget, target.AttachToTargetParams{TargetID: created.TargetID, Flatten: &yes})
	if err != nil {
		return nil, fmt.Errorf("opening a page: %w", err)
	}
	p := &Page{
		Session: b.conn.session(attached.SessionID), browser: b, target: created.TargetID,
		watch: newWatch(b.door.problem), loaded: make(chan struct{}, 1),
	}
	p.answers = newInterceptor(p, o.Worker)
	if o.Worker != nil {
		p.watch.hidden = o.Worker.Path
	}
	p.listen()
	if err := p.prepare(ctx, o); err != nil {
		p.answers.close()
		b.conn.forget(p.id)
		return nil, fmt.Errorf("opening a page: %w", err)
	}
	return p, nil
}

func (p *Page) listen() {
	On(p.Session, page.LoadEventFired, func(page.EventLoadEventFired) {
		select {
		case p.loaded <- struct{}{}:
		default:
		}
	})
	On(p.Session, network.RequestWillBeSent, p.watch.requested)
	On(p.Session, network.ResponseReceived, p.watch.responded)
	On(p.Session, network.LoadingFinished, p.watch.finished)
	On(p.Session, network.LoadingFailed, p.watch.failed)
	On(p.Session, runtime.ExceptionThrown, p.watch.threw)
	On(p.Session, inspector.TargetCrashed, func(inspector.EventTargetCrashed) {
		p.end(ErrCrashed)
	})
}

func (p *Page) prepare(ctx context.Context, o PageOptions) error {
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
	// What pages before this one kept must not show in it.
	_, err := Call(ctx, p.Session, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{
		Origin: "*", StorageTypes: "cookies,local_storage,indexeddb,service_workers,cache_storage",
	})
	if err != nil {
		return err
	}
	if o.Transparent {
		// An alpha of 0 would be left out of the call, and 1 be meant.
		const nothing = 0.001
		_, err := Call(ctx, p.Session, emulation.SetDefaultBackgroundColorOverride, emulation.SetDefaultBackgroundColorOverrideParams{Color: &cdp.RGBA{A: nothing}})
		if err != nil {
			return err
		}
	}
	if err := p.answers.enable(ctx, o); err != nil {
		return err
	}
	for _, script := range []page.AddScriptToEvaluateOnNewDocumentParams{{Source: o.Script}, {Source: o.IsolatedScript, WorldName: isolated}} {
		if script.Source == "" {
			continue
		}
		if _, err := Call(ctx, p.Session, page.AddScriptToEvaluateOnNewDocument, script); err != nil {
			return err
		}
	}
	return nil
}

// Navigate opens a URL and waits for the page's load event. A page that cannot be had is a fault.User.
func (p *Page) Navigate(ctx context.Context, url string) error {
	select {
	case <-p.loaded: // that was the page before
	default:
	}
	result, err := Call(ctx, p.Session, page.Navigate, page.NavigateParams{URL: url})
	if err != nil {
		return err
	}
	document := network.RequestID(result.LoaderID)
	if result.ErrorText != "" {
		if err := p.watch.documentError(document); err != nil {
			return err
		}
		return fault.Userf("opening %s: %s; give the address of a page", url, result.ErrorText)
	}
	select {
	case <-p.loaded:
	case <-p.Done():
		return p.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return p.watch.documentError(document)
}

// World is one of the JavaScript worlds of a page: that of its own scripts, or one that they cannot see.
type World struct {
	page *Page
	id   runtime.ExecutionContextID // 0 for the page's own
}

// isolated is the name of our world.
const isolated = "helios"

// MainWorld is the world of the page's own scripts.
func (p *Page) MainWorld() World { return World{page: p} }

// MainFrame is the frame that holds all others; Chromium gives it the number of the page's target.
func (p *Page) MainFrame() cdp.FrameID { return cdp.FrameID(p.target) }

// IsolatedWorld returns a world that shares the page's document and nothing else. It is the same for each call until the page
// goes elsewhere.
func (p *Page) IsolatedWorld(ctx context.Context) (World, error) {
	tree, err := Call(ctx, p.Session, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return World{}, err
	}
	r, err := Call(ctx, p.Session, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: tree.FrameTree.Frame.ID, WorldName: isolated})
	return World{p, r.ExecutionContextID}, err
}

// Evaluate runs an expression in the page's own world; see [World.Evaluate].
func (p *Page) Evaluate(ctx context.Context, expression string, result any) error {
	return World{page: p}.Evaluate(ctx, expression, result)
}

// Evaluate runs an expression, awaits its promise if it is one, and decodes its value, as JSON, into result
// unless that is nil. What the expression throws becomes the error, a fault.User.
func (w World) Evaluate(ctx context.Context, expression string, result any) error {
	return w.Start(ctx, expression).Wait(ctx, result)
}

// Start is Evaluate without waiting for the value.
func (w World) Start(ctx context.Context, expression string) Evaluation {
	yes := true
	return Evaluation{Send(ctx, w.page.Session, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ContextID: w.id, AwaitPromise: &yes, ReturnByValue: &yes,
	})}
}

// Evaluation is an expression that is being evaluated.
type Evaluation struct {
	*Future[runtime.EvaluateResult]
}

// Wait waits for the value and decodes it, as [World.Evaluate] does. It is called once.
func (e Evaluation) Wait(ctx context.Context, result any) error {
	r, err := e.Future.Wait(ctx)
	if err != nil {
		return err
	}
	if r.ExceptionDetails != nil {
		return fault.Userf("the page threw %s", describe(r.ExceptionDetails))
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(r.Result.Value, result)
}

// Pending returns the addresses that the page asked for and has no answer from.
func (p *Page) Pending() []string { return p.watch.pendingURLs() }

// Assets returns what the page loaded so far, in the order in which it asked.
func (p *Page) Assets() []Asset { return p.watch.list() }

// Missing returns the images, fonts, scripts and other parts of the page that could not be had.
func (p *Page) Missing() []Asset { return p.watch.missing() }

// AddAsset adds an asset that the page needs though it did not ask for it itself, such as a video that it shows.
func (p *Page) AddAsset(a Asset) { p.watch.note(a) }

// FailAsset notes that an asset at an address came, but is of no use.
func (p *Page) FailAsset(address, problem string) { p.watch.useless(shorten(address), problem) }

// TransientError returns why a file of the composition could not be had though it may be the next time, a
// fault.Transient; nil if there was no such thing.
func (p *Page) TransientError() error {
	if err := p.browser.door.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// S3Stalled returns a fault.Transient if the page has asked for a file of a composition in S3 that S3 has not given
// yet; nil if it waits for nothing of the kind.
func (p *Page) S3Stalled() error {
	if b, ok := p.browser.site.(*bucket); ok && p.browser.door.awaited.Load() > 0 {
		return fault.Transientf("%s does not answer", b.objects.URL(""))
	}
	return nil
}

// CPUTime returns the processor time that the browser has used.
func (p *Page) CPUTime() time.Duration { return p.browser.process.CPUTime() }

// SwappedProcess reports whether the page was loaded in another process than the empty one before it.
func (p *Page) SwappedProcess() bool { return p.watch.hasMoved() }

// HasAnimatedImage reports whether the page has loaded an image that may be animated.
func (p *Page) HasAnimatedImage() bool {
	return p.watch.hasAnimated() || p.browser.door.animated.Load()
}

// Exception returns the first error that a script of the page threw and nobody caught, a fault.User.
func (p *Page) Exception() error { return p.watch.exception() }

// Close closes the page.
func (p *Page) Close(ctx context.Context) error {
	defer p.conn.forget(p.id)
	defer p.answers.close()
	_, err := Call(ctx, p.browser.session, target.CloseTarget, target.CloseTargetParams{TargetID: p.target})
	return err
}
