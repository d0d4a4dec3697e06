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
	number int64  // in the ring
	shot   []byte // the screenshot as a PNG
	pixels []byte // the screenshot in I420, once it is converted
}

// resolved is a frame whose content is known.
type resolved struct {
	frame   int64
	changed bool // since the frame before
	content content
}

// drawnFrame is a frame that Chromium has drawn. Times are by CLOCK_MONOTONIC.
type drawnFrame struct {
	frame int64
	began microseconds // when the first beginFrame was sent
	sent  microseconds // when the last beginFrame that reported damage was sent
	done  microseconds // when the last beginFrame was answered
}

const (
	// maxArrival limits the wait for a drawn frame. It usually arrives in a few milliseconds. After that, a screenshot
	// replaces it.
	maxArrival = time.Second
	// shortArrival limits the wait for a frame that may be unchanged.
	shortArrival = 20 * time.Millisecond
	// minEventStep and maxEventStep limit the event time that Chromium reports between two frames.
	minEventStep = microseconds(1000)
	maxEventStep = microseconds(1_000_000)
)

var errNoArrival = errors.New("no frame arrived")

// frameDrawn records that Chromium drew a frame, and whether it reported damage. It appends the frames whose content is
// now known to s.done.
//
// Reported damage is exact, with one exception: the first frame after a screenshot always has damage, even if it is
// unchanged. Such a frame is pending until it arrives, a later one arrives, or maxArrival has passed.
func (s *stream) frameDrawn(ctx context.Context, d drawnFrame, damaged bool) error {
	afterShot := s.afterShot
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
	if afterShot {
		limit, s.since = shortArrival, time.Now()
	}
	s.pending = append(s.pending, d)
	err := s.awaitArrival(ctx, limit, d)
	switch {
	case !errors.Is(err, errNoArrival):
		return err
	case afterShot:
		return s.pollPending(ctx)
	case len(s.pending) > 1:
		return fault.Transientf("frames %d and %d did not arrive", s.pending[0].frame, d.frame)
	}
	return s.resolveByScreenshot(ctx)
}

// usesScreenshots reports whether each frame is a screenshot. A page that is not a secure context cannot be streamed.
// Without a screenshot, Chromium may show the next image of an animated image one frame late.
func (s *stream) usesScreenshots() bool { return s.insecure || s.player.page.HasAnimatedImage() }

// ambiguous reports whether the next frame is too late to prove, by its event time, that the first pending frame was
// lost: Chromium reports at most maxEventStep. Before the first arrival, frames may be lost, because the stream may not
// have been ready.
func (s *stream) ambiguous() bool {
	last := s.pending[len(s.pending)-1].frame
	return s.eventTime(last+1)-s.eventTime(s.pending[0].frame) >= maxEventStep
}

// pollPending resolves the pending frames if the first one has arrived or its time limit has passed.
func (s *stream) pollPending(ctx context.Context) error {
	arrived, err := s.ring.ready()
	switch {
	case err != nil:
		return err
	case arrived:
		if err := s.awaitArrival(ctx, shortArrival, s.pending[0]); !errors.Is(err, errNoArrival) {
			return err
		}
	case time.Since(s.since) > maxArrival, s.shown == 0 && s.ambiguous():
		return s.resolveByScreenshot(ctx)
	}
	return nil
}

// flushPending resolves the pending frames. It waits until the first one arrives or its time limit has passed.
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

// awaitArrival waits for frame d and resolves it. Frames arrive in order, so pending frames that did not arrive before
// d are unchanged. It returns errNoArrival after the limit, and a transient error if another frame arrives.
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
		case s.replaced.captured(a):
			if err := s.checkStep(a, s.replaced); err != nil {
				return err
			}
			continue
		case first.captured(a) && first.frame != d.frame:
			if err := s.checkStep(a, first); err != nil {
				return err
			}
			s.resolve(true, content{number: a.number}, len(s.pending)-1)
			continue
		case !d.captured(a):
			return fault.Transientf(
				"an unexpected frame arrived: it was captured %d µs after the request for frame %d, and %d µs before the answer",
				a.captured-d.began, d.frame, d.done-a.captured)
		case a.captured < d.sent:
			continue // Chromium drew the frame again
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

// captured reports whether an arrival was captured while this frame was drawn.
func (d drawnFrame) captured(a arrival) bool { return a.captured >= d.began && a.captured <= d.done }

// checkStep checks by event time that an arrival is frame d, and that no frame was lost since the last arrival. If so,
// it records d as the frame that arrived last.
func (s *stream) checkStep(a arrival, d drawnFrame) error {
	if want := s.expectedStep(d); !a.event.near(want) {
		return fault.Transientf("frame %d arrived with an event time %d µs after that of frame %d, want %d µs",
			d.frame, a.event, s.shown, want)
	}
	s.shown, s.realTime = d.frame, false
	return nil
}

// expectedStep returns the event time that Chromium reports when frame d arrives next.
func (s *stream) expectedStep(d drawnFrame) microseconds {
	if s.realTime {
		return maxEventStep
	}
	return min(s.eventTime(d.frame)-s.eventTime(s.shown), maxEventStep)
}

// isRefresh reports whether an arrival is a refresh, while frame d is expected. A refresh is a frame that Chromium
// captures although it drew nothing. It equals the previous one. Its event time is real time, which is earlier than
// that of every drawn frame.
func (s *stream) isRefresh(a arrival, d drawnFrame) bool {
	if !s.realTime {
		return a.event.near(minEventStep)
	}
	// A step from a frame that did not arrive proves that this frame was lost. checkStep returns the error.
	for lost := s.shown + 1; lost < d.frame; lost++ {
		if a.event.near(s.eventTime(d.frame) - s.eventTime(lost)) {
			return false
		}
	}
	return !a.event.near(maxEventStep)
}

// tolerance is the largest rounding error of an event time.
const tolerance = microseconds(5)

func (t microseconds) near(other microseconds) bool {
	return t-other <= tolerance && other-t <= tolerance
}

// resolve records c as the content of the first count pending frames. If changed is true, the first of them differs
// from the frame before it.
func (s *stream) resolve(changed bool, c content, count int) {
	for i, d := range s.pending[:count] {
		s.done = append(s.done, resolved{d.frame, changed && i == 0, c})
	}
	s.pending, s.current = s.pending[count:], c
}

// resolveByScreenshot takes a screenshot that shows the pending frames.
func (s *stream) resolveByScreenshot(ctx context.Context) error {
	last := s.pending[len(s.pending)-1]
	png, err := s.player.screenshot(ctx, frameTime(s.player.o.FPS, last.frame))
	if err != nil {
		return err
	}
	s.replaced, s.afterShot = s.pending[0], true
	if bytes.Equal(png, s.current.shot) {
		s.resolve(false, s.current, len(s.pending))
		return nil
	}
	before, after := make([]byte, s.layout.frameSize()), make([]byte, s.layout.frameSize())
	if err := s.readContent(&s.current, before); err != nil {
		return err
	}
	if err := toI420(png, after, s.layout.Width, s.layout.Height); err != nil {
		return err
	}
	same := bytes.Equal(before, after)
	if s.current.shot == nil { // the rounding of a streamed frame may differ from that of a screenshot
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
func (s *stream) readContent(c *content, pixels []byte) error {
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
