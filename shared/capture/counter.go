package capture

import (
	"context"
	"fmt"

	"helios/shared/browser"
)

// frameCounter counts the frames that the page's scripts live through, out of the page's sight. While the
// compositor is still busy with the frame before, Chromium answers beginFrame without having run one; the
// same frame has to be asked for again then.
type frameCounter struct {
	world browser.World
	seen  int64
}

func (c *frameCounter) start(ctx context.Context, world browser.World) error {
	c.world, c.seen = world, 0
	const count = `var seen = 0, request = requestAnimationFrame(function frame() { seen++; request = requestAnimationFrame(frame) })`
	return c.world.Evaluate(ctx, count, nil)
}

func (c *frameCounter) stop(ctx context.Context) error {
	return c.world.Evaluate(ctx, "cancelAnimationFrame(request)", nil)
}

// dropped reports whether the scripts did not see another frame since it was asked last.
func (c *frameCounter) dropped(ctx context.Context) (bool, error) {
	var seen int64
	if err := c.world.Evaluate(ctx, "seen", &seen); err != nil {
		return false, err
	}
	if seen > c.seen+1 {
		return false, fmt.Errorf("the page saw %d frames where it was shown one", seen-c.seen)
	}
	dropped := seen == c.seen
	c.seen = seen
	return dropped, nil
}
