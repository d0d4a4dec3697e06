package browser

import (
	"context"
	"sync"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
)

// mute answers the requests of a page's media elements: they learn whether there is something, and get nothing
// of it. So Chromium decodes no media, in no time of its own.
type mute struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex // held to begin an answer, so that none begins once close waits
	answers sync.WaitGroup
}

func (p *Page) muteMedia(ctx context.Context) error {
	p.mute.ctx, p.mute.cancel = context.WithCancel(context.Background())
	On(p.Session, fetch.RequestPaused, func(e fetch.EventRequestPaused) {
		p.mute.begin(func() {
			// An answer that does not get through belongs to a page that is gone.
			if e.ResponseErrorReason != "" || e.ResponseStatusCode >= 300 {
				Call(p.mute.ctx, p.Session, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
				return
			}
			Call(p.mute.ctx, p.Session, fetch.FulfillRequest, fetch.FulfillRequestParams{RequestID: e.RequestID, ResponseCode: 200})
		})
	})
	_, err := Call(ctx, p.Session, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{
		URLPattern: "*", ResourceType: network.ResourceTypeMedia, RequestStage: fetch.RequestStageResponse,
	}}})
	return err
}

// begin gives an answer beside the reading of events, unless the page is closed.
func (m *mute) begin(answer func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx.Err() == nil {
		m.answers.Go(answer)
	}
}

// close waits for the answers that are under way.
func (m *mute) close() {
	m.mu.Lock()
	m.cancel()
	m.mu.Unlock()
	m.answers.Wait()
}
