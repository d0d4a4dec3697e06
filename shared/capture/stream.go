package capture

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

//go:embed stream.js
var streamSource string

// stream captures the tab: getDisplayMedia gives a script in a world of its own a stream of what Chromium's compositor
// displays, and a worker copies its frames into a ring (ring.go).
//
// Each frame that arrives proves which frame of the composition it shows. Its capture time lies between the sending of
// beginFrame and the answer. Its event time, by which Chromium decides what to capture, is the one that the frame was
// drawn with. A frame that arrives but was not drawn is an error. One that was drawn but does not arrive is taken as a
// screenshot, and converted as Chromium would have done.
type stream struct {
	player  *Player
	profile string // Chromium's, which contains the ring
	layout  layout
	worker  browser.Worker
	ring    *ring
	shown   int64   // the frame that arrived last, 0 if none did
	current content // of the newest frame of which the content is known
	rough   bool    // the next frame reports damage in any case
	settled drawn   // the frame that was drawn last, if a screenshot was taken of it
	pending []drawn // frames that may still arrive: the first reported damage, and the others none
	since   time.Time
	done    []outcome // frames of which the content is known
}

// content is what a frame shows: a frame in the ring, or a screenshot.
type content struct {
	number int64
	shot   []byte
	pixels []byte // shot in I420, once it was converted
}

// outcome is a frame of which the content is known.
type outcome struct {
	frame   int64
	changed bool // since the frame before
	content content
}

func newStream(p *Player, profile string) *stream {
	token, scale := rand.Text(), p.o.scale()
	width, height := int(math.Round(float64(p.o.Width)*scale)), int(math.Round(float64(p.o.Height)*scale))
	return &stream{
		player: p, profile: profile,
		layout: newLayout(width, height),
		worker: browser.Worker{Path: "/.helios/" + token + ".js", Source: ringSource, TrustedTypes: "helios-" + token},
	}
}

// script is what runs before the page's scripts, out of their sight.
func (s *stream) script() string {
	function := streamSource[strings.Index(streamSource, "(path"):]
	return fmt.Sprintf("(%s)(%q, %q, %s)", strings.TrimSpace(function), s.worker.Path, s.worker.TrustedTypes, s.layout.json())
}

const (
	// eventLead is how far event time is ahead of the time of frames. Chromium's refreshes have real time as their event
	// time, and event time must never go back.
	eventLead = 24 * time.Hour
	// eventStep is by how much more than frame time event time advances from frame to frame. Where the same damage recurs
	// for a second of event time, in less than 84 ms each, Chromium assumes a video and drops frames with other damage.
	eventStep = 100 * time.Millisecond
)

// eventTime returns the event time of frame n, which is its frame time plus the interval of beginFrame.
func (s *stream) eventTime(n int64) microseconds {
	return frameTime(s.player.o.FPS, n) + microseconds((eventLead + time.Duration(n)*eventStep).Microseconds())
}

// start starts the stream on a page that shows frame 0. getDisplayMedia succeeds only if frames are drawn meanwhile, and
// without a screenshot Chromium would draw nothing.
func (s *stream) start(ctx context.Context) error {
	starting := s.player.clock.world.Begin(ctx, fmt.Sprintf("stream.start(%d, %d)", s.layout.Width, s.layout.Height))
	for s.current.shot == nil || !starting.Answered() {
		png, err := s.player.take(ctx, 0)
		if err != nil {
			return err
		}
		s.current, s.rough = content{shot: png}, true
	}
	var problem string
	if err := starting.Wait(ctx, &problem); err != nil {
		return err
	}
	if problem != "" {
		return fault.Userf("capturing the tab: %s; use a Chromium that knows the flags %s, or --capture %s",
			problem, strings.Join(browser.StreamFlags, " and "), job.CaptureScreenshot)
	}
	var err error
	s.ring, err = openRing(s.profile, s.layout)
	return err
}

func (s *stream) close() {
	if s.ring != nil {
		s.ring.close()
	}
}

// drawn is a frame that was drawn.
type drawn struct {
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
	// maxEventStep is the most that Chromium says of the event time between two frames.
	maxEventStep = microseconds(1_000_000)
)

var errNoArrival = errors.New("no frame arrived")

// drew learns that a frame was drawn, and whether Chromium reported damage. It appends to s.done what is known by then.
//
// The damage is exact but for the first frame after a screenshot, which reports it in any case. Such a frame is pending
// until it arrives, another one arrives, or enough time has passed.
func (s *stream) drew(ctx context.Context, d drawn, damaged bool) error {
	rough, before := s.rough, s.settled
	s.rough, s.settled = false, drawn{}
	switch {
	case s.player.page.Animated():
		// Chromium shows the next picture of an animated image in this frame or in the one after, unless there is a screenshot.
		s.pending = append(s.pending, d)
		return s.settle(ctx)
	case !damaged && len(s.pending) == 0:
		s.done = append(s.done, outcome{frame: d.frame, content: s.current})
		return nil
	case !damaged:
		s.pending = append(s.pending, d)
		return s.look(ctx)
	}
	limit := maxArrival
	if rough {
		limit, s.since = briefly, time.Now()
	}
	s.pending = append(s.pending, d)
	err := s.arrive(ctx, limit, before, d)
	switch {
	case !errors.Is(err, errNoArrival):
		return err
	case rough:
		return s.look(ctx)
	case len(s.pending) > 1:
		return fault.Transientf("frames %d and %d did not arrive", s.pending[0].frame, d.frame)
	}
	return s.settle(ctx)
}

// ambiguous reports whether, if the next frame arrived, its event time would no longer show that the first pending one was
// lost. Before any frame has arrived, it may have been: the stream may not have been ready for it.
func (s *stream) ambiguous() bool {
	last := s.pending[len(s.pending)-1].frame
	return s.eventTime(last+1)-s.eventTime(s.pending[0].frame) >= maxEventStep
}

// look resolves the frames that are pending if the first of them has arrived, or time is up.
func (s *stream) look(ctx context.Context) error {
	arrived, err := s.ring.any()
	switch {
	case err != nil:
		return err
	case arrived:
		return s.arrive(ctx, maxArrival, drawn{}, s.pending[0])
	case time.Since(s.since) > maxArrival, s.shown == 0 && s.ambiguous():
		return s.settle(ctx)
	}
	return nil
}

// flush resolves the frames that are pending.
func (s *stream) flush(ctx context.Context) error {
	if len(s.pending) == 0 {
		return nil
	}
	err := s.arrive(ctx, maxArrival-min(maxArrival, time.Since(s.since)), drawn{}, s.pending[0])
	if errors.Is(err, errNoArrival) {
		return s.settle(ctx)
	}
	return err
}

// arrive waits until a frame that was drawn arrives, and checks that it is no other. The one before may arrive late if a
// screenshot was taken of it. Frames arrive in order, so those that are pending before it did not change.
func (s *stream) arrive(ctx context.Context, limit time.Duration, before, d drawn) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errNoArrival)
	defer cancel()
	for {
		a, err := s.ring.next(ctx)
		if err != nil {
			return err
		}
		first := s.pending[0]
		switch {
		case before.shows(a), s.shown == 0 && a.captured < first.began, s.isRefresh(a, d):
			continue
		case first.shows(a) && first.frame != d.frame:
			if err := s.identify(a, first); err != nil {
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
		if err := s.identify(a, d); err != nil {
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
func (d drawn) shows(a arrival) bool { return a.captured >= d.began && a.captured <= d.done }

// identify checks by its event time that what arrived is frame d, and that nothing between it and the one that arrived
// before was lost.
func (s *stream) identify(a arrival, d drawn) error {
	want := min(s.eventTime(d.frame)-s.eventTime(s.shown), maxEventStep)
	if s.shown == 0 {
		want = maxEventStep // the refreshes of frame 0 are far behind
	}
	if !a.event.near(want) {
		return fault.Transientf("frame %d arrived %d µs of event time after frame %d, not %d µs", d.frame, a.event, s.shown, want)
	}
	s.shown = d.frame
	return nil
}

// isRefresh reports whether what arrived while frame d was drawn is one more refresh of frame 0, and not the first frame to
// arrive. Its event time, since the refresh before, is real time.
func (s *stream) isRefresh(a arrival, d drawn) bool {
	if s.shown > 0 || a.event.near(maxEventStep) {
		return false
	}
	for lost := int64(1); lost < d.frame; lost++ {
		if a.event.near(s.eventTime(d.frame) - s.eventTime(lost)) {
			return false
		}
	}
	return true
}

// tolerance is the error of event time, which is rounded several times on its way.
const tolerance = microseconds(5)

func (t microseconds) near(other microseconds) bool {
	return t-other <= tolerance && other-t <= tolerance
}

// resolve makes the first of the pending frames show something, and the others, up to count in all, the same.
func (s *stream) resolve(changed bool, c content, count int) {
	for i, d := range s.pending[:count] {
		s.done = append(s.done, outcome{d.frame, changed && i == 0, c})
	}
	s.pending, s.current = s.pending[count:], c
}

// settle takes a screenshot of a page that shows frames that did not arrive.
func (s *stream) settle(ctx context.Context) error {
	last := s.pending[len(s.pending)-1]
	png, err := s.player.take(ctx, frameTime(s.player.o.FPS, last.frame))
	if err != nil {
		return err
	}
	s.settled, s.rough = drawn{began: s.pending[0].began, done: last.done}, true
	if bytes.Equal(png, s.current.shot) {
		s.resolve(false, s.current, len(s.pending))
		return nil
	}
	before, after := make([]byte, s.layout.frameSize()), make([]byte, s.layout.frameSize())
	if err := s.read(s.current, before); err != nil {
		return err
	}
	if err := toI420(png, after, s.layout.Width, s.layout.Height); err != nil {
		return err
	}
	if luma, chroma := difference(before, after); luma <= maxLuma && chroma <= maxChroma {
		s.resolve(false, s.current, len(s.pending))
		return nil
	}
	s.resolve(true, content{shot: png, pixels: after}, len(s.pending))
	return nil
}

// read reads the pixels of a content.
func (s *stream) read(c content, pixels []byte) error {
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

// now returns the time by CLOCK_MONOTONIC, which Chromium's capture times are in.
func now() microseconds {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // every Linux has this clock
	}
	return microseconds(t.Nano() / 1000)
}

// queued is a frame on its way to emit.
type queued struct {
	index  int64
	pixels []byte // nil if it is the same as the one before
}

// queue is how many frames are captured ahead of what emit has finished.
const queue = 3

// playStream is Play in stream mode: while one frame is emitted, the next ones are captured.
func (p *Player) playStream(ctx context.Context, from, count int64, start job.Start, emit func(Frame) error) error {
	g, ctx := errgroup.WithContext(ctx)
	frames, free := make(chan queued, queue), make(chan []byte, queue+2)
	for range cap(free) {
		free <- nil
	}
	g.Go(func() error {
		defer close(frames)
		return p.captureStream(ctx, from, count, start, frames, free)
	})
	g.Go(func() error {
		var last []byte
		for f := range frames {
			repeated := f.pixels == nil || bytes.Equal(f.pixels, last)
			if f.pixels != nil {
				if last != nil {
					free <- last
				}
				last = f.pixels
			}
			if err := emit(Frame{Index: f.index, Pixels: last, Repeated: repeated}); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

// captureStream captures frames in buffers that are free.
func (p *Player) captureStream(ctx context.Context, from, count int64, start job.Start, frames chan<- queued, free <-chan []byte) error {
	s := p.stream
	if err := p.goTo(ctx, from, start); err != nil {
		return err
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	s.done = s.done[:0]
	if from == 0 && count > 0 {
		s.done = append(s.done, outcome{changed: true, content: s.current})
	}
	for n := max(from, 1); n < from+count; n++ {
		if _, err := p.show(ctx, n, drawing); err != nil {
			return err
		}
		if err := s.send(ctx, from, frames, free); err != nil {
			return err
		}
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	return s.send(ctx, from, frames, free)
}

// send sends the frames of which the content is known.
func (s *stream) send(ctx context.Context, from int64, frames chan<- queued, free <-chan []byte) error {
	for _, o := range s.done {
		f := queued{index: o.frame}
		if o.changed || o.frame == from {
			select {
			case f.pixels = <-free:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			if f.pixels == nil {
				f.pixels = make([]byte, s.layout.frameSize())
			}
			if err := s.read(o.content, f.pixels); err != nil {
				return err
			}
		}
		select {
		case frames <- f:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.done = s.done[:0]
	return nil
}
