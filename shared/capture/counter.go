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
	name  string // of the script that counts, in its world
	state frameState
}

// frameState is what the script that counts tells.
type frameState struct {
	Frames int64  `json:"frames"` // that were lived through
	Taken  uint64 `json:"taken"`  // pictures of the last, see raw.js
	Wrong  string `json:"wrong"`  // with the pictures
}

// countFrames is a script that does nothing but count. Like that of raw.js it offers state, and ended, the promise of
// the state when there were n frames.
const countFrames = `var counter = (() => {
	let frames = 0, tell = () => {}, request;
	const frame = () => { frames++; request = requestAnimationFrame(frame); tell(); };
	request = requestAnimationFrame(frame);
	const state = () => ({ frames });
	return {
		state,
		ended: (n) => frames >= n ? state() : new Promise((done) => { tell = () => done(state()); }),
		stop() { cancelAnimationFrame(request); },
	};
})(); 0`

func (c *frameCounter) start(ctx context.Context, world browser.World) error {
	*c = frameCounter{world: world, name: "counter"}
	return c.world.Evaluate(ctx, countFrames, nil)
}

func (c *frameCounter) stop(ctx context.Context) error {
	return c.world.Evaluate(ctx, "counter.stop()", nil)
}

// next begins to wait for the next frame.
func (c *frameCounter) next(ctx context.Context) browser.Evaluation {
	return c.world.Begin(ctx, fmt.Sprintf("%s.ended(%d)", c.name, c.state.Frames+1))
}

// dropped reports whether there was no frame since the one before. The answer is there when the frame is done, except
// where the compositor was faster.
func (c *frameCounter) dropped(ctx context.Context, next browser.Evaluation) (bool, error) {
	var state frameState
	var err error
	if next.Answered() {
		err = next.Wait(ctx, &state)
	} else {
		err = c.world.Evaluate(ctx, c.name+".state()", &state)
	}
	if err != nil || state.Frames == c.state.Frames {
		return true, err
	}
	if more := state.Frames - c.state.Frames; more > 1 {
		return false, fmt.Errorf("the page saw %d frames where it was shown one", more)
	}
	c.state = state
	return false, nil
}
