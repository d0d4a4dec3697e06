package capture

import (
	"strings"
	"sync"
	"testing"

	"helios/shared/browser"
)

// browsers keeps browsers open from one test to the next, because a launch takes as long as a short test.
var browsers = browserPool{idle: map[browser.Options][]*browser.Browser{}}

type browserPool struct {
	mu   sync.Mutex
	idle map[browser.Options][]*browser.Browser
}

// acquire returns an idle browser with these options, or nil.
func (p *browserPool) acquire(o browser.Options) *browser.Browser {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[o]
	if len(list) == 0 {
		return nil
	}
	p.idle[o] = list[:len(list)-1]
	return list[len(list)-1]
}

func (p *browserPool) release(o browser.Options, b *browser.Browser) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle[o] = append(p.idle[o], b)
}

func (p *browserPool) close() {
	for _, list := range p.idle {
		for _, b := range list {
			b.Close()
		}
	}
}

// launch returns a browser for a composition, which no other test uses until the end of the test. For compositions in
// the shared folder and on the shared server, earlier tests may have used it.
func launch(t *testing.T, c Composition) *browser.Browser {
	t.Helper()
	needChromium(t)
	o := c.BrowserOptions(1)
	if strings.HasPrefix(c.URL, server.URL+"/") {
		o.URL = server.URL
	} else if c.Folder != site && c.Folder != examples {
		return launchNew(t, c)
	}
	b := browsers.acquire(o)
	if b == nil {
		var err error
		if b, err = browser.Launch(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			b.Close()
			return
		}
		browsers.release(o, b)
	})
	return b
}

// launchNew launches a browser for one test, such as a test that kills or blocks its processes.
func launchNew(t *testing.T, c Composition) *browser.Browser {
	t.Helper()
	return launchScaled(t, c, 1)
}

// launchScaled launches a browser with a device pixel ratio for one test.
func launchScaled(t *testing.T, c Composition, scale float64) *browser.Browser {
	t.Helper()
	needChromium(t)
	b, err := browser.Launch(t.Context(), c.BrowserOptions(scale))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// needChromium skips the test in short mode.
func needChromium(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("launches Chromium")
	}
}
