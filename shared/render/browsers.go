package render

import (
	"context"
	"sync"

	"helios/shared/browser"
	"helios/shared/capture"
)

// Browsers are the Chromiums that show one composition. They stay open from one use to the next, and there are
// never more than were in use at once. It can be used by several goroutines, and by one job after the other.
type Browsers struct {
	options browser.Options

	mu     sync.Mutex
	idle   []*browser.Browser
	closed bool
}

// NewBrowsers returns a pool, as yet empty, for a composition at a scale. It has to be closed.
func NewBrowsers(c capture.Composition, scale float64) *Browsers {
	return &Browsers{options: c.Browser(scale)}
}

// take returns a browser that nobody else uses: one that was given back, or else a new one. Whoever takes it gives
// it back, or closes it if anything went wrong: that may have left it in any state.
func (p *Browsers) take(ctx context.Context) (*browser.Browser, error) {
	p.mu.Lock()
	if last := len(p.idle) - 1; last >= 0 {
		b := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		return b, nil
	}
	p.mu.Unlock()
	return browser.Launch(ctx, p.options)
}

// give takes a browser back.
func (p *Browsers) give(b *browser.Browser) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		b.Close()
		return
	}
	p.idle = append(p.idle, b)
}

// Close ends the browsers, now or when they are given back.
func (p *Browsers) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, b := range p.idle {
		b.Close()
	}
	p.idle = nil
}

// lookRetries is how often a composition is opened again when Chromium died on it.
const lookRetries = 2

// look does something with a browser, and with another one when that fails with a fault.Transient.
func (p *Browsers) look(ctx context.Context, do func(*browser.Browser) error) error {
	return attempt(ctx, lookRetries, func() error {
		b, err := p.take(ctx)
		if err != nil {
			return err
		}
		if err := do(b); err != nil {
			b.Close()
			return err
		}
		p.give(b)
		return nil
	}, func(error) {})
}
