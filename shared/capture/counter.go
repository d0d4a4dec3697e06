package capture

import (
	"context"
	"fmt"

	"helios/shared/browser"
	"helios/shared/fault"
)

// frameCounter counts the frames that the page's scripts live through, out of the page's sight. While the
// compositor is still busy with the frame before, Chromium answers beginFrame without having run one; the
// same frame has to be asked for again then.
type frameCounter struct {
	world  browser.World
	frames int64 // that were lived through
}

// countFrames is a script that does nothing but count. Its ended is the promise of the number of frames when there were n.
const countFrames = `var counter = (() => {
	let frames = 0, tell = () => {}, request;
	const frame = () => { frames++; request = requestAnimationFrame(frame); tell(); };
	request = requestAnimationFrame(frame);
	return {
		count: () => frames,
		ended: (n) => frames >= n ? frames : new Promise((done) => { tell = () => done(frames); }),
		stop() { cancelAnimationFrame(request); },
	};
})(); 0`

func (c *frameCounter) start(ctx context.Context, world browser.World) error {
	*c = frameCounter{world: world}
	return c.world.Evaluate(ctx, countFrames, nil)
}

func (c *frameCounter) stop(ctx context.Context) error {
	return c.world.Evaluate(ctx, "counter.stop()", nil)
}

// expect begins to wait for the expect frame.
func (c *frameCounter) expect(ctx context.Context) browser.Evaluation {
	return c.world.Start(ctx, fmt.Sprintf("counter.ended(%d)", c.frames+1))
}

// dropped reports whether there was no frame since the one before. The answer is there when the frame is done, except
// where the compositor was faster.
func (c *frameCounter) dropped(ctx context.Context, next browser.Evaluation) (bool, error) {
	var frames int64
	var err error
	if next.Ready() {
		err = next.Wait(ctx, &frames)
	} else {
		err = c.world.Evaluate(ctx, "counter.count()", &frames)
	}
	if err != nil || frames == c.frames {
		return true, err
	}
	if more := frames - c.frames; more > 1 {
		return false, fault.Transientf("the page saw %d frames where it was shown one", more)
	}
	c.frames = frames
	return false, nil
}
