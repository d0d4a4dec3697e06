package capture

import "context"

// repeatPredictor tells by the frames before whether a page may be at rest in the next. Then no picture is taken unless Chromium drew
// something: to ask costs a tenth of one. A page that moves on twos, or has a video of fewer frames than the composition,
// repeatPredictor now and then.
type repeatPredictor struct {
	player *Player
	since  int // frames since the last, or rare if there was none
}

// rare is the number of frames of which one has to repeat the one before for asking to pay.
const rare = 10

func newRepeatPredictor(p *Player) repeatPredictor { return repeatPredictor{player: p, since: rare} }

// likely reports whether asking pays.
func (r *repeatPredictor) likely() bool { return r.since < rare }

// record learns whether a frame repeated the one before. The page's frames are counted while it may rest: an answer that
// nothing was drawn is only worth something if there was a frame.
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

// screenshotIfDamaged returns the picture of frame n, at t, which is that of the frame before unless Chromium drew something.
func (p *Player) screenshotIfDamaged(ctx context.Context, n int64, t microseconds) ([]byte, error) {
	damaged, err := p.drawFrame(ctx, n, t, drawing)
	if err != nil || !damaged {
		return p.last, err
	}
	return p.screenshot(ctx, t)
}
