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
	answers sync.WaitGroup
	ctx     context.Context
	cancel  context.CancelFunc
}

func (p *Page) muteMedia(ctx context.Context) error {
	p.mute.ctx, p.mute.cancel = context.WithCancel(context.Background())
	On(p.Session, fetch.RequestPaused, func(e fetch.EventRequestPaused) {
		p.mute.answers.Go(func() {
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

// close waits for the answers that are under way.
func (m *mute) close() {
	m.cancel()
	m.answers.Wait()
}
