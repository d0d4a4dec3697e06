package capture

import "context"

// repeatPredictor predicts whether the next frame may equal the one before. If so, a screenshot is only taken if
// Chromium reports damage. That question costs a tenth of a screenshot. Pages repeat frames now and then if they move
// on every second frame, or contain a video with a lower frame rate.
type repeatPredictor struct {
	player *Player
	since  int // frames since the last repeated one
}

// rare is the number of frames among which one has to be repeated for the question to pay off.
const rare = 10

func newRepeatPredictor(p *Player) repeatPredictor { return repeatPredictor{player: p, since: rare} }

func (r *repeatPredictor) likely() bool { return r.since < rare }

// record records whether a frame was repeated. While repeats are likely, the page's frames are counted: "no damage"
// only means something if a frame ran.
func (r *repeatPredictor) record(ctx context.Context, repeated bool) error {
	before := r.likely()
	if r.since++; repeated {
		r.since = 0
	}
	switch now := r.likely(); {
	case now && !before:
		return r.player.frames.start(ctx, r.player.clock.world)
	case before && !now:
		return r.player.frames.stop(ctx)
	}
	return nil
}

// screenshotIfDamaged returns the screenshot of frame n, at t. If Chromium reports no damage, that is the one of the
// frame before.
func (p *Player) screenshotIfDamaged(ctx context.Context, n int64, t microseconds) ([]byte, error) {
	damaged, err := p.drawFrame(ctx, n, t, outputDrawn)
	if err != nil || !damaged {
		return p.last, err
	}
	return p.screenshot(ctx, t)
}
