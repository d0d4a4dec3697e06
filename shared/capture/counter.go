package capture

import (
	"context"
	"fmt"

	"helios/shared/browser"
	"helios/shared/fault"
)

// frameCounter counts the frames that Chromium ran, in a world that the page's scripts cannot see. While the compositor
// is busy with the previous frame, Chromium answers beginFrame without running a frame. Then the frame must be
// requested again.
type frameCounter struct {
	world  browser.World
	frames int64 // the number of frames that ran
}

// countFrames is a script that counts animation frames. ended(n) resolves to the number of frames when n have run.
const countFrames = `var counter = (() => {
	let frames = 0, resolve = () => {}, request;
	const frame = () => { frames++; request = requestAnimationFrame(frame); resolve(); };
	request = requestAnimationFrame(frame);
	return {
		count: () => frames,
		ended: (n) => frames >= n ? frames : new Promise((done) => { resolve = () => done(frames); }),
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

// expect starts an evaluation that ends with the next frame.
func (c *frameCounter) expect(ctx context.Context) browser.Evaluation {
	return c.world.Start(ctx, fmt.Sprintf("counter.ended(%d)", c.frames+1))
}

// dropped reports whether Chromium answered beginFrame without running a frame. The evaluation has usually ended when
// beginFrame returns.
func (c *frameCounter) dropped(ctx context.Context, expected browser.Evaluation) (bool, error) {
	var frames int64
	var err error
	if expected.Ready() {
		err = expected.Wait(ctx, &frames)
	} else {
		err = c.world.Evaluate(ctx, "counter.count()", &frames)
	}
	if err != nil || frames == c.frames {
		return true, err
	}
	if more := frames - c.frames; more > 1 {
		return false, fault.Transientf("chromium ran %d frames instead of one", more)
	}
	c.frames = frames
	return false, nil
}
