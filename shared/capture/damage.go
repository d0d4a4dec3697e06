package capture

import "context"

// repeatPredictor predicts whether the next frame may equal the previous one. If so, Helios first draws the frame and
// takes a screenshot only if Chromium reports damage. The additional drawing costs a tenth of a screenshot. A page
// repeats frames, for example, if it changes every second frame, or contains a video with a lower frame rate.
type repeatPredictor struct {
	player *Player
	since  int // frames since the last repeated one
}

// repeatWindow is the number of frames for which a repeated frame makes another one likely. If fewer than one in ten
// frames is repeated, the additional drawing costs more than it saves.
const repeatWindow = 10

func newRepeatPredictor(p *Player) repeatPredictor {
	return repeatPredictor{player: p, since: repeatWindow}
}

func (r *repeatPredictor) likely() bool { return r.since < repeatWindow }

// record records whether a frame was repeated. While repeats are likely, the frames that run are counted. Otherwise,
// "no damage" could mean that Chromium ran no frame.
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

// screenshotIfDamaged returns the screenshot of frame n, at t. If Chromium reports no damage, it returns the previous
// one.
func (p *Player) screenshotIfDamaged(ctx context.Context, n int64, t microseconds) ([]byte, error) {
	damaged, err := p.drawFrame(ctx, n, t, outputDrawn)
	if err != nil || !damaged {
		return p.last, err
	}
	return p.screenshot(ctx, t)
}
