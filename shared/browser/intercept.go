package browser

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
)

// interceptor responds to some requests of a page: for the worker's script, media and documents.
type interceptor struct {
	page   *Page
	worker *Worker // nil if Helios runs no worker in the page
	ctx    context.Context
	cancel context.CancelFunc

	mu        sync.Mutex // guards start and close, so that no response starts after close
	responses sync.WaitGroup
}

func newInterceptor(p *Page, w *Worker) *interceptor {
	i := &interceptor{page: p, worker: w}
	i.ctx, i.cancel = context.WithCancel(context.Background())
	return i
}

// enable makes Chromium pause the requests that the options require the interceptor to change.
func (i *interceptor) enable(ctx context.Context, o PageOptions) error {
	var patterns []*fetch.RequestPattern
	responsesOf := func(kind network.ResourceType) *fetch.RequestPattern {
		return &fetch.RequestPattern{URLPattern: "*", ResourceType: kind, RequestStage: fetch.RequestStageResponse}
	}
	if o.BlockMedia {
		patterns = append(patterns, responsesOf(network.ResourceTypeMedia))
	}
	if o.Worker != nil {
		script := &fetch.RequestPattern{URLPattern: "*" + o.Worker.Path, RequestStage: fetch.RequestStageRequest}
		patterns = append(patterns, responsesOf(network.ResourceTypeDocument), script)
	}
	if patterns == nil {
		return nil
	}
	On(i.page.Session, fetch.RequestPaused, func(e fetch.EventRequestPaused) { i.start(func() { i.respond(e) }) })
	_, err := Call(ctx, i.page.Session, fetch.Enable, fetch.EnableParams{Patterns: patterns})
	return err
}

// respond responds to a paused request or continues it. It ignores errors, which mean that the page is closed.
func (i *interceptor) respond(e fetch.EventRequestPaused) {
	fulfill := fetch.FulfillRequestParams{RequestID: e.RequestID, ResponseCode: http.StatusOK}
	atResponse := e.ResponseErrorReason != "" || e.ResponseStatusCode != 0
	loaded := e.ResponseErrorReason == "" && e.ResponseStatusCode < 300
	switch {
	case !atResponse && i.worker != nil && strings.HasSuffix(e.Request.URL, i.worker.Path):
		fulfill.Body, fulfill.ResponseHeaders = []byte(i.worker.Source), workerHeaders
	case atResponse && loaded && e.ResourceType == network.ResourceTypeMedia:
		// Respond with an empty body: the element finds that the file exists, but Chromium does not play it in real
		// time.
	case atResponse && e.ResourceType == network.ResourceTypeDocument && e.FrameID == i.page.MainFrame() &&
		i.worker.allowIn(&e):
		// Chromium uses changed headers only if the response includes the body.
		params := fetch.GetResponseBodyParams{RequestID: e.RequestID}
		r, err := Call(i.ctx, i.page.Session, fetch.GetResponseBody, params)
		if err != nil {
			return
		}
		fulfill.ResponseCode, fulfill.ResponseHeaders, fulfill.Body = e.ResponseStatusCode, e.ResponseHeaders, r.Body
	default:
		params := fetch.ContinueRequestParams{RequestID: e.RequestID}
		_, _ = Call(i.ctx, i.page.Session, fetch.ContinueRequest, params)
		return
	}
	_, _ = Call(i.ctx, i.page.Session, fetch.FulfillRequest, fulfill)
}

// start runs respond in a goroutine, because event handlers must not wait for commands. It does nothing after close.
func (i *interceptor) start(respond func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ctx.Err() == nil {
		i.responses.Go(respond)
	}
}

// close cancels the responses in progress and waits for them.
func (i *interceptor) close() {
	i.mu.Lock()
	i.cancel()
	i.mu.Unlock()
	i.responses.Wait()
}
