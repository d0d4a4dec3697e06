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

// stream captures the tab. getDisplayMedia returns a stream of the compositor's output to a script in an isolated
// world, and a worker copies the frames into a ring; see ring.go.
//
// An arrival is a frame of the stream. Two times prove which frame of the composition it shows: its capture time is
// between the request of beginFrame and the answer, and its event time, by which Chromium decides what to capture, is
// that of the frame. An arrival that belongs to no frame is an error. If a drawn frame does not arrive, a screenshot
// replaces it, which toI420 converts like Chromium.
type stream struct {
	player    *Player
	profile   string // Chromium's profile folder, which contains the ring
	layout    layout
	worker    browser.Worker
	ring      *ring
	started   bool
	insecure  bool         // the page is not a secure context, so it cannot be streamed
	shown     int64        // the frame that arrived last; 0 if none did
	realTime  bool         // the last event time in Chromium is a real time
	current   content      // the content of the latest resolved frame
	afterShot bool         // a screenshot was taken, so Chromium reports damage for the next frame in any case
	replaced  drawnFrame   // the last frame that was replaced by a screenshot; it may still arrive
	pending   []drawnFrame // frames that may still arrive; only the first had damage
	since     time.Time    // when the first pending frame was drawn
	done      []resolved   // resolved frames that are not emitted yet, in order
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

// script returns the script for the isolated world.
func (s *stream) script() string {
	start := strings.Index(streamSource, "(path") // after the comment
	return fmt.Sprintf("(%s)(%q, %q, %s)",
		strings.TrimSpace(streamSource[start:]), s.worker.Path, s.worker.TrustedTypes, s.layout.json())
}

const (
	// eventLead is the difference between event time and frame time at frame 0. Event time must never decrease. The event
	// time of Chromium's refreshes is real time, so that of frames must be later than any real time.
	eventLead = 24 * time.Hour
	// eventStep is added to the event time with each frame. If the same damage recurs for a second of event time, in
	// steps below 84 ms, Chromium assumes a video and drops frames with other damage.
	eventStep = 100 * time.Millisecond
)

// eventTime returns the event time of frame n: its frame time plus the interval of beginFrame.
func (s *stream) eventTime(n int64) microseconds {
	return frameTime(s.player.o.FPS, n) + microseconds((eventLead + time.Duration(n)*eventStep).Microseconds())
}

// start starts the stream of a page that shows frame 0. getDisplayMedia returns only if Chromium draws frames
// meanwhile. The page does not change, so only screenshots make Chromium draw.
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
		return fault.Userf("capturing the tab: %s; use a Chromium that supports the flags %s, or --capture %s",
			problem, strings.Join(browser.StreamFlags, " and "), job.CaptureScreenshot)
	}
	return fault.Transientf("capturing the tab: %s", problem)
}

func (s *stream) close() {
	if s.ring != nil {
		s.ring.close()
	}
}

// now returns the time by CLOCK_MONOTONIC, the clock of Chromium's capture times.
func now() microseconds {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // every Linux has this clock
	}
	return microseconds(t.Nano() / 1000)
}
