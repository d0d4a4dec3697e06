package capture

import (
	"bytes"
	"context"
	"errors"
	"time"

	"helios/shared/fault"
)

// content is what a frame shows: a frame in the ring, or a screenshot.
type content struct {
	number int64
	shot   []byte
	pixels []byte // shot in I420, once it was converted
}

// resolved is a frame of which the content is known.
type resolved struct {
	frame   int64
	changed bool // since the frame before
	content content
}

// drawnFrame is a frame that was drawnFrame.
type drawnFrame struct {
	frame int64
	// began, sent and done are moments by CLOCK_MONOTONIC: when the first beginFrame for it was sent, when the last one that
	// reported damage was sent, and when it was answered.
	began, sent, done microseconds
}

const (
	// maxArrival is how long a frame that was drawn is awaited before a screenshot is taken of it. It arrives in a few
	// milliseconds, unless the machine is busy.
	maxArrival = time.Second
	// briefly is how long one is awaited that may not have changed, before the next is drawn.
	briefly = 20 * time.Millisecond
	// minEventStep and maxEventStep are the least and the most event time that Chromium says has passed between two frames.
	minEventStep = microseconds(1000)
	maxEventStep = microseconds(1_000_000)
)

var errNoArrival = errors.New("no frame arrived")

// frameDrawn learns that a frame was drawn, and whether Chromium reported damage. It appends to s.done what is known by then.
//
// The damage is exact but for the first frame after a screenshot, which reports it in any case. Such a frame is pending
// until it arrives, another one arrives, or enough time has passed.
func (s *stream) frameDrawn(ctx context.Context, d drawnFrame, damaged bool) error {
	rough := s.afterShot
	s.afterShot = false
	switch {
	case s.usesScreenshots():
		s.pending = append(s.pending, d)
		return s.resolveByScreenshot(ctx)
	case !damaged && len(s.pending) == 0:
		s.done = append(s.done, resolved{frame: d.frame, content: s.current})
		return nil
	case !damaged:
		s.pending = append(s.pending, d)
		return s.pollPending(ctx)
	}
	limit := maxArrival
	if rough {
		limit, s.since = briefly, time.Now()
	}
	s.pending = append(s.pending, d)
	err := s.awaitArrival(ctx, limit, d)
	switch {
	case !errors.Is(err, errNoArrival):
		return err
	case rough:
		return s.pollPending(ctx)
	case len(s.pending) > 1:
		return fault.Transientf("frames %d and %d did not arrive", s.pending[0].frame, d.frame)
	}
	return s.resolveByScreenshot(ctx)
}

// usesScreenshots reports whether a screenshot is taken of each frame: of a page that is not a secure context, which cannot be
// streamed, and of one with animated images. Of these Chromium shows the next picture in this frame or in the one after,
// unless a screenshot is taken.
func (s *stream) usesScreenshots() bool { return s.insecure || s.player.page.HasAnimatedImage() }

// ambiguous reports whether, if the next frame arrived, its event time would no longer show that the first pending one was
// lost. Before any frame has arrived, it may have been: the stream may not have been ready for it.
func (s *stream) ambiguous() bool {
	last := s.pending[len(s.pending)-1].frame
	return s.eventTime(last+1)-s.eventTime(s.pending[0].frame) >= maxEventStep
}

// pollPending resolves the frames that are pending if the first of them has arrived, or time is up.
func (s *stream) pollPending(ctx context.Context) error {
	arrived, err := s.ring.any()
	switch {
	case err != nil:
		return err
	case arrived:
		if err := s.awaitArrival(ctx, briefly, s.pending[0]); !errors.Is(err, errNoArrival) {
			return err
		}
	case time.Since(s.since) > maxArrival, s.shown == 0 && s.ambiguous():
		return s.resolveByScreenshot(ctx)
	}
	return nil
}

// flushPending resolves the frames that are pending.
func (s *stream) flushPending(ctx context.Context) error {
	if len(s.pending) == 0 {
		return nil
	}
	err := s.awaitArrival(ctx, maxArrival-min(maxArrival, time.Since(s.since)), s.pending[0])
	if errors.Is(err, errNoArrival) {
		return s.resolveByScreenshot(ctx)
	}
	return err
}

// awaitArrival waits until a frame that was drawn arrives, and checks that it is no other. Frames awaitArrival in order, so those that
// are pending before it did not change.
func (s *stream) awaitArrival(ctx context.Context, limit time.Duration, d drawnFrame) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errNoArrival)
	defer cancel()
	for {
		a, err := s.ring.next(ctx)
		if err != nil {
			return err
		}
		first := s.pending[0]
		switch {
		case s.isRefresh(a, d), s.shown == 0 && a.captured < first.began:
			s.realTime = true
			continue
		case s.settled.shows(a):
			if err := s.checkStep(a, s.settled); err != nil {
				return err
			}
			continue
		case first.shows(a) && first.frame != d.frame:
			if err := s.checkStep(a, first); err != nil {
				return err
			}
			s.resolve(true, content{number: a.number}, len(s.pending)-1)
			continue
		case !d.shows(a):
			return fault.Transientf("a frame arrived that was captured %d µs after frame %d was sent, and %d µs before it was done",
				a.captured-d.began, d.frame, d.done-a.captured)
		case a.captured < d.sent:
			continue // Chromium drew it anew
		}
		if err := s.checkStep(a, d); err != nil {
			return err
		}
		if first.frame != d.frame {
			s.resolve(false, s.current, len(s.pending)-1)
		}
		s.resolve(true, content{number: a.number}, len(s.pending))
		return nil
	}
}

// shows reports whether a frame in the ring was captured while this one was drawn.
func (d drawnFrame) shows(a arrival) bool { return a.captured >= d.began && a.captured <= d.done }

// checkStep checks by its event time that what arrived is frame d, and that nothing between it and the one that arrived
// before was lost.
func (s *stream) checkStep(a arrival, d drawnFrame) error {
	if want := s.expectedStep(d); !a.event.near(want) {
		return fault.Transientf("frame %d arrived %d µs of event time after frame %d, not %d µs", d.frame, a.event, s.shown, want)
	}
	s.shown, s.realTime = d.frame, false
	return nil
}

// expectedStep returns how much event time Chromium says has passed when frame d arrives.
func (s *stream) expectedStep(d drawnFrame) microseconds {
	if s.realTime {
		return maxEventStep
	}
	return min(s.eventTime(d.frame)-s.eventTime(s.shown), maxEventStep)
}

// isRefresh reports whether what arrived while frame d is awaited is a refresh. Chromium captures one now and then when
// nothing is drawn: it shows what the page showed already. Its event time is real time, which is before that of all frames.
func (s *stream) isRefresh(a arrival, d drawnFrame) bool {
	if !s.realTime {
		return a.event.near(minEventStep)
	}
	for lost := s.shown + 1; lost < d.frame; lost++ {
		if a.event.near(s.eventTime(d.frame) - s.eventTime(lost)) {
			return false
		}
	}
	return !a.event.near(maxEventStep)
}

// tolerance is the error of event time, which is rounded several times on its way.
const tolerance = microseconds(5)

func (t microseconds) near(other microseconds) bool {
	return t-other <= tolerance && other-t <= tolerance
}

// resolve makes the first of the pending frames show something, and the others, up to count in all, the same.
func (s *stream) resolve(changed bool, c content, count int) {
	for i, d := range s.pending[:count] {
		s.done = append(s.done, resolved{d.frame, changed && i == 0, c})
	}
	s.pending, s.current = s.pending[count:], c
}

// resolveByScreenshot takes a screenshot of a page that shows frames that did not arrive.
func (s *stream) resolveByScreenshot(ctx context.Context) error {
	last := s.pending[len(s.pending)-1]
	png, err := s.player.screenshot(ctx, frameTime(s.player.o.FPS, last.frame))
	if err != nil {
		return err
	}
	s.settled, s.afterShot = s.pending[0], true
	if bytes.Equal(png, s.current.shot) {
		s.resolve(false, s.current, len(s.pending))
		return nil
	}
	before, after := make([]byte, s.layout.frameSize()), make([]byte, s.layout.frameSize())
	if err := s.readContent(s.current, before); err != nil {
		return err
	}
	if err := toI420(png, after, s.layout.Width, s.layout.Height); err != nil {
		return err
	}
	same := bytes.Equal(before, after)
	if s.current.shot == nil { // rounding counts only between a frame of the stream and a screenshot
		luma, chroma := difference(before, after)
		same = luma <= maxLuma && chroma <= maxChroma
	}
	if same {
		s.resolve(false, s.current, len(s.pending))
		return nil
	}
	s.resolve(true, content{shot: png, pixels: after}, len(s.pending))
	return nil
}

// readContent reads the pixels of a content.
func (s *stream) readContent(c content, pixels []byte) error {
	if c.number > 0 {
		return s.ring.read(c.number, pixels)
	}
	if c.pixels == nil {
		c.pixels = make([]byte, s.layout.frameSize())
		if err := toI420(c.shot, c.pixels, s.layout.Width, s.layout.Height); err != nil {
			return err
		}
	}
	copy(pixels, c.pixels)
	return nil
}
