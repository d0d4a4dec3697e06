package render

import (
	"context"
	"sync"

	"helios/shared/browser"
	"helios/shared/capture"
)

// Browsers are the Chromiums that show one composition. They stay open from one use to the next, and there are
// never more than were in use, or asked for, at once. It can be used by several goroutines, and by one job after the
// other.
type Browsers struct {
	options browser.Options

	mu     sync.Mutex
	idle   []*launch
	closed bool
}

// launch is a browser that is being started, until done is closed, or was started.
type launch struct {
	done    chan struct{}
	browser *browser.Browser
	err     error
}

// NewBrowsers returns a pool, as yet empty, for a composition at a scale. It has to be closed.
func NewBrowsers(c capture.Composition, scale float64) *Browsers {
	return &Browsers{options: c.Browser(scale)}
}

// warm begins to start browsers until there are so many at hand. One that does not start is an error of who takes it.
func (p *Browsers) warm(ctx context.Context, count int) {
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

// take returns a browser that nobody else uses: one that is at hand, or else a new one. Whoever takes it gives
// it back, or closes it if anything went wrong: that may have left it in any state.
func (p *Browsers) take(ctx context.Context) (*browser.Browser, error) {
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

// give takes a browser back.
func (p *Browsers) give(b *browser.Browser) {
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

// Close ends the browsers, now or when they are given back.
func (p *Browsers) Close() {
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

// with does something with a browser, which ends if that fails.
func (p *Browsers) with(ctx context.Context, do func(*browser.Browser) error) error {
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
}

// lookRetries is how often a composition is opened again when Chromium died on it.
const lookRetries = 2

// look is with, and again with another browser when that fails with a fault.Transient.
func (p *Browsers) look(ctx context.Context, do func(*browser.Browser) error) error {
	return attempt(ctx, lookRetries, func() error {
		return p.with(ctx, do)
	}, func(error) {})
}
