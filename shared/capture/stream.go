package capture

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"math"
	"strings"
	"time"

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
	player    *Player
	profile   string // Chromium's, which contains the ring
	layout    layout
	worker    browser.Worker
	ring      *ring
	started   bool
	insecure  bool         // the page cannot be streamed
	shown     int64        // the frame that arrived last, 0 if none did
	realTime  bool         // the event time that Chromium saw last is real time
	current   content      // of the newest frame of which the content is known
	afterShot bool         // the next frame reports damage in any case
	settled   drawnFrame   // the last frame that a screenshot was taken of, which may still arrive
	pending   []drawnFrame // frames that may still arrive: the first reported damage, and the others none
	since     time.Time
	done      []resolved // frames of which the content is known
}

func newStream(p *Player, profile string) *stream {
	token, scale := rand.Text(), p.o.scale()
	width, height := int(math.Round(float64(p.o.Width)*scale)), int(math.Round(float64(p.o.Height)*scale))
	return &stream{
		player: p, profile: profile, realTime: true,
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
	starting := s.player.clock.world.Start(ctx, fmt.Sprintf("stream.start(%d, %d)", s.layout.Width, s.layout.Height))
	for s.current.shot == nil || !starting.Ready() {
		png, err := s.player.screenshot(ctx, 0)
		if err != nil {
			return err
		}
		s.current, s.afterShot = content{shot: png}, true
	}
	var problem string
	if err := starting.Wait(ctx, &problem); err != nil {
		return err
	}
	s.started = true
	switch kind, _, _ := strings.Cut(problem, ":"); kind {
	case "":
		var err error
		s.ring, err = openRing(s.profile, s.layout)
		return err
	case "insecure":
		s.insecure = true
		return nil
	case "NotAllowedError", "NotSupportedError":
		return fault.Userf("capturing the tab: %s; use a Chromium that knows the flags %s, or --capture %s",
			problem, strings.Join(browser.StreamFlags, " and "), job.CaptureScreenshot)
	}
	return fault.Transientf("capturing the tab: %s", problem)
}

func (s *stream) close() {
	if s.ring != nil {
		s.ring.close()
	}
}

// now returns the time by CLOCK_MONOTONIC, which Chromium's capture times are in.
func now() microseconds {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // every Linux has this clock
	}
	return microseconds(t.Nano() / 1000)
}
