package capture

import (
	"context"
	"fmt"

	"helios/shared/browser"
)

// frameCounter counts the frames that the page's scripts lived through, out of the page's sight. While the
// compositor is still busy with the frame before, Chromium answers beginFrame without having run one; the
// same frame has to be asked for again then.
type frameCounter struct{ world browser.World }

func (c *frameCounter) start(ctx context.Context, page *browser.Page) (err error) {
	if c.world, err = page.Isolate(ctx); err != nil {
		return err
	}
	const count = `var seen = 0, request = requestAnimationFrame(function frame() { seen++; request = requestAnimationFrame(frame) })`
	return c.world.Evaluate(ctx, count, nil)
}

func (c *frameCounter) stop(ctx context.Context, page *browser.Page) error {
	return c.world.Evaluate(ctx, "cancelAnimationFrame(request)", nil)
}

// dropped reports whether the scripts did not see frame n yet, counted from the first that was shown.
func (c *frameCounter) dropped(ctx context.Context, page *browser.Page, n int64) (bool, error) {
	var seen int64
	if err := c.world.Evaluate(ctx, "seen", &seen); err != nil {
		return false, err
	}
	if seen > n+1 {
		return false, fmt.Errorf("the page saw %d frames instead of %d", seen, n+1)
	}
	return seen <= n, nil
}
