package capture

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"helios/shared/fault"
)

//go:embed prelude.js
var preludeSource string

// prelude returns the script that runs before the page's own scripts.
func prelude(o Options) string {
	props := "undefined"
	if o.Props != nil {
		props = string(o.Props)
	}
	function := strings.TrimSuffix(strings.TrimSpace(preludeSource), ";")
	return fmt.Sprintf("(%s)(%d, %s)", function, o.Seed, props)
}

// undecodableImages is an expression for the URLs of images that loaded but do not decode. It skips lazy images that
// are not loaded yet.
const undecodableImages = `Promise.all([...document.images]
	.filter(i => i.currentSrc && (i.complete || i.loading !== "lazy"))
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
		// Chromium requests fonts during layout, which getBoundingClientRect forces.
		const fonts = "document.documentElement.getBoundingClientRect(), document.fonts.ready.then(() => {})"
		if err := p.clock.world.Evaluate(ctx, fonts, nil); err != nil {
			return err
		}
		waiting = "the promise in window.helios.ready"
		if err := p.awaitReady(ctx); err != nil {
			return err
		}
		waiting = "the responses to its requests"
		if err := p.clock.world.Evaluate(ctx, settled, nil); err != nil {
			return err
		}
		waiting = "its images"
		return p.recordBrokenImages(ctx)
	}()
	if err != nil && ctx.Err() == context.DeadlineExceeded {
		if err := p.page.S3Stalled(); err != nil {
			return fmt.Errorf("%s was not ready after %s: %w", c.Input, p.o.Timeout, err)
		}
		// The request for the page itself is open while one of its scripts runs.
		isPage := func(address string) bool { return address == p.page.Assets()[0].URL }
		if pending := slices.DeleteFunc(p.page.Pending(), isPage); len(pending) > 0 {
			waiting = "a response from " + strings.Join(pending, ", ")
		}
		return fault.Userf("%s was not ready after %s: still waiting for %s; fix the page or use a longer --timeout",
			c.Input, p.o.Timeout, waiting)
	}
	if err != nil {
		return p.cause(ctx, err)
	}
	if err := p.main.Evaluate(ctx, "typeof window.helios?.seek === 'function'", &p.seeks); err != nil {
		return err
	}
	return p.pageError()
}

// navigate opens the page. It runs no frame: if a frame precedes the load event, Chromium never draws some pages.
func (p *Player) navigate(ctx context.Context, c Composition) (err error) {
	if err := p.page.Navigate(ctx, c.pageURL()); err != nil {
		return err
	}
	if p.page.SwappedProcess() {
		// The new process has its own clock.
		if err := p.clock.freeze(ctx); err != nil {
			return err
		}
	}
	p.main = p.page.MainWorld()
	p.clock.world, err = p.page.IsolatedWorld(ctx)
	return err
}

// recordBrokenImages records images that do not decode as missing assets. A server may return a page instead of an
// image.
func (p *Player) recordBrokenImages(ctx context.Context) error {
	var broken []string
	if err := p.clock.world.Evaluate(ctx, undecodableImages, &broken); err != nil {
		return err
	}
	for _, address := range broken {
		p.page.FailAsset(address, "not an image that Chromium can decode")
	}
	return nil
}

// Attributes are the settings that a page declares in data attributes, such as data-fps. Each is read from the first
// element that has it: <html>, the first child of the body, or the body. It is empty if none has it.
type Attributes struct {
	Duration string `json:"duration,omitempty"`
	FPS      string `json:"fps,omitempty"`
	Width    string `json:"width,omitempty"`
	Height   string `json:"height,omitempty"`
}

func (p *Player) attributes(ctx context.Context) (a Attributes, err error) {
	const read = `Object.fromEntries(["duration", "fps", "width", "height"].map((name) => [name,
		[document.documentElement, document.body?.firstElementChild, document.body]
			.map((element) => element?.dataset?.[name]).find((value) => value !== undefined) ?? ""]))`
	err = p.page.Evaluate(ctx, read, &a)
	return a, err
}
