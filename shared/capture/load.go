package capture

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"helios/shared/browser"
	"helios/shared/fault"
)

//go:embed prelude.js
var preludeSource string

// prelude is the script that runs before those of the page.
func prelude(o Options) string {
	props := "undefined"
	if o.Props != nil {
		props = string(o.Props)
	}
	return fmt.Sprintf("(%s)(%d, %s)", strings.TrimSuffix(strings.TrimSpace(preludeSource), ";"), o.Seed, props)
}

// undecodable gives the addresses of the images that are there but no images. An image that waits until
// it is scrolled into view is left alone.
const undecodable = `Promise.all([...document.images].filter(i => i.currentSrc && (i.complete || i.loading !== "lazy"))
	.map(i => i.decode().then(() => null, () => i.currentSrc))).then(all => all.filter(Boolean))`

func (p *Player) load(ctx context.Context, c Composition) error {
	waiting := "the page to load"
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	err := func() error {
		if err := p.clock.freeze(ctx); err != nil {
			return err
		}
		if err := p.navigate(ctx, c); err != nil {
			return err
		}
		p.watchNavigation()
		waiting = "its fonts"
		// A page asks for its fonts when it is laid out.
		if err := p.clock.world.Evaluate(ctx, "document.documentElement.getBoundingClientRect(), document.fonts.ready.then(() => {})", nil); err != nil {
			return err
		}
		waiting = "the promise in window.helios.ready"
		if err := p.awaitReady(ctx); err != nil {
			return err
		}
		waiting = "the answers to its requests"
		if err := p.clock.world.Evaluate(ctx, settled, nil); err != nil {
			return err
		}
		waiting = "its images"
		return p.checkImages(ctx)
	}()
	if err != nil && ctx.Err() == context.DeadlineExceeded {
		if err := p.page.S3Stalled(); err != nil {
			return fmt.Errorf("%s was not ready after %s: %w", c.Input, p.o.Timeout, err)
		}
		// The page itself is not done while a script of it runs.
		itself := func(address string) bool { return address == p.page.Assets()[0].URL }
		if pending := slices.DeleteFunc(p.page.Pending(), itself); len(pending) > 0 {
			waiting = "an answer from " + strings.Join(pending, ", ")
		}
		return fault.Userf("%s was not ready after %s: still waiting for %s; mend the page or give a longer --timeout", c.Input, p.o.Timeout, waiting)
	}
	if err != nil {
		return p.cause(ctx, err)
	}
	if err := p.main.Evaluate(ctx, "typeof window.helios?.seek === 'function'", &p.seeks); err != nil {
		return err
	}
	return p.pageError()
}

// navigate opens the page and finds the worlds of its scripts and ours. It draws nothing: of pages for which a frame was
// drawn before their load event, Chromium never draws some.
func (p *Player) navigate(ctx context.Context, c Composition) (err error) {
	if err := p.page.Navigate(ctx, c.pageURL()); err != nil {
		return err
	}
	if p.page.SwappedProcess() {
		// A new process begins with a clock of its own.
		if err := p.clock.freeze(ctx); err != nil {
			return err
		}
	}
	p.main = p.page.MainWorld()
	p.clock.world, err = p.page.IsolatedWorld(ctx)
	return err
}

// checkImages notes the images that were answered with something else, such as an error page.
func (p *Player) checkImages(ctx context.Context) error {
	var broken []string
	if err := p.clock.world.Evaluate(ctx, undecodable, &broken); err != nil {
		return err
	}
	for _, address := range broken {
		p.page.FailAsset(address, "not an image that Chromium can decode")
	}
	return nil
}

// MissingError names what a page could not load.
func MissingError(missing []browser.Asset) error {
	list := make([]string, len(missing))
	for i, a := range missing {
		list[i] = fmt.Sprintf("%s %s (%s)", strings.ToLower(a.Kind), a.URL, a.Problem)
	}
	return fault.Userf("missing %s; put it in place, or go on without it by --allow-missing-assets", strings.Join(list, ", "))
}

// Attributes are what a composition says about itself on its <html> element, or on the first element of
// its body, as text; empty where it says nothing.
type Attributes struct {
	Duration string `json:"duration,omitempty"`
	FPS      string `json:"fps,omitempty"`
	Width    string `json:"width,omitempty"`
	Height   string `json:"height,omitempty"`
}

func (p *Player) attributes(ctx context.Context) (a Attributes, err error) {
	const read = `Object.fromEntries(["duration", "fps", "width", "height"].map(name =>
		[name, document.documentElement.dataset[name] ?? document.body?.firstElementChild?.dataset?.[name] ?? document.body?.dataset[name] ?? ""]))`
	err = p.page.Evaluate(ctx, read, &a)
	return a, err
}
