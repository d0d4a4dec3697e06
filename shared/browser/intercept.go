package browser

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
)

// interceptor answers some requests of a page in place of the network.
type interceptor struct {
	page   *Page
	worker *Worker // nil if the page has none of ours
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex // held to begin an answer, so that none begins once close waits
	answers sync.WaitGroup
}

func newInterceptor(p *Page, w *Worker) *interceptor {
	i := &interceptor{page: p, worker: w}
	i.ctx, i.cancel = context.WithCancel(context.Background())
	return i
}

// enable pauses the requests that the options of the page ask for.
func (i *interceptor) enable(ctx context.Context, o PageOptions) error {
	var patterns []*fetch.RequestPattern
	if o.BlockMedia {
		patterns = append(patterns, &fetch.RequestPattern{URLPattern: "*", ResourceType: network.ResourceTypeMedia, RequestStage: fetch.RequestStageResponse})
	}
	if o.Worker != nil {
		patterns = append(patterns,
			&fetch.RequestPattern{URLPattern: "*", ResourceType: network.ResourceTypeDocument, RequestStage: fetch.RequestStageResponse},
			&fetch.RequestPattern{URLPattern: "*" + o.Worker.Path, RequestStage: fetch.RequestStageRequest})
	}
	if patterns == nil {
		return nil
	}
	On(i.page.Session, fetch.RequestPaused, func(e fetch.EventRequestPaused) { i.begin(func() { i.answer(e) }) })
	_, err := Call(ctx, i.page.Session, fetch.Enable, fetch.EnableParams{Patterns: patterns})
	return err
}

// answer answers one request. An answer that does not arrive belongs to a page that is closed.
func (i *interceptor) answer(e fetch.EventRequestPaused) {
	fulfill := fetch.FulfillRequestParams{RequestID: e.RequestID, ResponseCode: http.StatusOK}
	response := e.ResponseErrorReason != "" || e.ResponseStatusCode != 0
	switch {
	case !response && i.worker != nil && strings.HasSuffix(e.Request.URL, i.worker.Path):
		fulfill.Body, fulfill.ResponseHeaders = []byte(i.worker.Source), workerHeaders
	case response && e.ResponseErrorReason == "" && e.ResponseStatusCode < 300 && e.ResourceType == network.ResourceTypeMedia:
		// The element learns that the file exists, and gets nothing of it. So Chromium decodes no media at its own pace.
	case response && e.ResourceType == network.ResourceTypeDocument && e.FrameID == i.page.MainFrame() && i.worker.admit(&e):
		// Chromium parses new headers only together with a new body.
		r, err := Call(i.ctx, i.page.Session, fetch.GetResponseBody, fetch.GetResponseBodyParams{RequestID: e.RequestID})
		if err != nil {
			return
		}
		fulfill.ResponseCode, fulfill.ResponseHeaders, fulfill.Body = e.ResponseStatusCode, e.ResponseHeaders, r.Body
	default:
		Call(i.ctx, i.page.Session, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
		return
	}
	Call(i.ctx, i.page.Session, fetch.FulfillRequest, fulfill)
}

// begin answers beside the reading of events, unless the page is closed.
func (i *interceptor) begin(answer func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ctx.Err() == nil {
		i.answers.Go(answer)
	}
}

// close waits for the answers that are under way.
func (i *interceptor) close() {
	i.mu.Lock()
	i.cancel()
	i.mu.Unlock()
	i.answers.Wait()
}
