package render

import (
	"context"
	"sync"

	"helios/shared/browser"
	"helios/shared/capture"
)

// BrowserPool starts Chromium processes for one composition and keeps them for reuse: from partition to partition, and
// from job to job. It starts a process only when all others are in use. Its methods may be called concurrently.
type BrowserPool struct {
	options browser.Options

	mu     sync.Mutex
	idle   []*launch
	closed bool
}

// launch is the start of a browser. It has ended when done is closed.
type launch struct {
	done    chan struct{}
	browser *browser.Browser
	err     error
}

// NewBrowserPool returns an empty pool for a composition. The scale is the device pixel ratio; 0 is 1. The caller must
// close the pool.
func NewBrowserPool(c capture.Composition, scale float64) *BrowserPool {
	return &BrowserPool{options: c.BrowserOptions(scale)}
}

// warm starts browsers in the background, so that count are idle. If one fails to start, acquire returns its error.
func (p *BrowserPool) warm(ctx context.Context, count int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) < count && !p.closed {
		l := &launch{done: make(chan struct{})}
		p.idle = append(p.idle, l)
		go func() {
			defer close(l.done)
			l.browser, l.err = browser.Launch(ctx, p.options)
		}()
	}
}

// acquire returns an idle browser, or a new one, for the caller's exclusive use. The caller releases it, or closes it
// if something failed in it. After a failure, the state of a browser is unknown.
func (p *BrowserPool) acquire(ctx context.Context) (*browser.Browser, error) {
	p.mu.Lock()
	if last := len(p.idle) - 1; last >= 0 {
		l := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		<-l.done
		return l.browser, l.err
	}
	p.mu.Unlock()
	return browser.Launch(ctx, p.options)
}

// release returns a browser to the pool.
func (p *BrowserPool) release(b *browser.Browser) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		b.Close()
		return
	}
	l := &launch{done: make(chan struct{}), browser: b}
	close(l.done)
	p.idle = append(p.idle, l)
}

// Close closes all browsers: the idle ones now, the others when they are released.
func (p *BrowserPool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, l := range p.idle {
		<-l.done
		if l.err == nil {
			l.browser.Close()
		}
	}
	p.idle = nil
}

// useRetries is the number of retries of use.
const useRetries = 2

// use calls f with a browser. If f fails, it closes the browser. After a transient error, it retries with another one.
func (p *BrowserPool) use(ctx context.Context, f func(*browser.Browser) error) error {
	return retry(ctx, useRetries, func() error {
		b, err := p.acquire(ctx)
		if err != nil {
			return err
		}
		if err := f(b); err != nil {
			b.Close()
			return err
		}
		p.release(b)
		return nil
	}, func(error) {})
}
