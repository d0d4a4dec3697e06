package capture

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"helios/shared/fault"
)

// fakeRing is a ring that a test writes instead of the worker.
type fakeRing struct {
	t *testing.T
	*ring
	w    *os.File
	done int64
}

func newFakeRing(t *testing.T) *fakeRing {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ring")
	w, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close(); r.Close() })
	f := &fakeRing{t: t, ring: &ring{layout: newLayout(small.Width, small.Height), file: r}, w: w}
	if err := w.Truncate(f.Start + f.Slots*f.SlotSize); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fakeRing) write(offset int64, numbers ...int64) {
	var data []byte
	for _, n := range numbers {
		data = binary.LittleEndian.AppendUint64(data, uint64(n))
	}
	if _, err := f.w.WriteAt(data, offset); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fakeRing) add(captured, event microseconds) {
	f.done++
	f.write(f.slot(f.done), f.done, int64(captured), int64(event))
	f.write(f.Counter, f.done, f.done)
}

// If another frame arrives than the one that was drawn, the error is transient.
func TestArrival(t *testing.T) {
	const began, done = microseconds(10_000), microseconds(20_000)
	const step = microseconds(133_300) // from frame 5 to frame 6, of event time
	for name, test := range map[string]struct {
		shown    int64 // the frame that arrived before, or 0
		captured microseconds
		event    microseconds
		want     string // in the error; "" for no error
	}{
		"frame":                     {5, 15_000, step, ""},
		"first frame":               {0, 15_000, maxEventStep, ""},
		"rounded":                   {5, began, step - tolerance, ""},
		"captured before drawing":   {5, began - 1, step, "captured -1 µs after the request for frame 6"},
		"captured after drawing":    {5, done + 1, step, "-1 µs before the answer"},
		"other event time":          {5, 15_000, step + 1000, "134300 µs after that of frame 5, want 133300 µs"},
		"previous frame again":      {5, 15_000, 0, "arrived with an event time 0 µs after that of frame 5"},
		"after a lost frame":        {3, 15_000, step, "arrived with an event time 133300 µs after that of frame 3"},
		"first, after a lost frame": {0, 15_000, step, "arrived with an event time 133300 µs after that of frame 0"},
		"refresh of frame 0":        {0, 15_000, 70_000, "no frame arrived"},
		"refresh of frame 5":        {5, 5_000, minEventStep, "no frame arrived"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeRing(t)
			s := &stream{
				player: &Player{o: small}, layout: f.layout, ring: f.ring, shown: test.shown, realTime: test.shown == 0,
				pending: []drawnFrame{{frame: 6, began: began, sent: began, done: done}},
			}
			f.add(test.captured, test.event)
			err := s.awaitArrival(t.Context(), 50*time.Millisecond, s.pending[0])
			if test.want == "" {
				if err != nil || len(s.done) != 1 || !s.done[0].changed || s.done[0].frame != 6 {
					t.Errorf("the frames are %v: %v", s.done, err)
				}
				return
			}
			if fault.Of(err) != fault.Transient && !errors.Is(err, errNoArrival) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want one with %q", err, test.want)
			}
		})
	}
}

// When a frame arrives, the earlier pending frames that did not arrive are unchanged.
func TestArrivalResolvesPendingFrames(t *testing.T) {
	draw := func(frame int64) drawnFrame {
		start := microseconds(frame * 100)
		return drawnFrame{frame: frame, began: start, sent: start, done: start + 50}
	}
	for name, test := range map[string]struct {
		arrive  []int64
		changed []bool // frames 1, 2 and 3
	}{
		"only the last":          {[]int64{3}, []bool{false, false, true}},
		"the first and the last": {[]int64{1, 3}, []bool{true, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeRing(t)
			s := &stream{
				player: &Player{o: small}, layout: f.layout, ring: f.ring, realTime: true,
				pending: []drawnFrame{draw(1), draw(2), draw(3)},
			}
			event := maxEventStep
			for _, n := range test.arrive {
				f.add(draw(n).began+10, event)
				event = s.eventTime(3) - s.eventTime(n)
			}
			if err := s.awaitArrival(t.Context(), maxArrival, draw(3)); err != nil {
				t.Fatal(err)
			}
			for i, o := range s.done {
				if o.frame != int64(i+1) || o.changed != test.changed[i] {
					t.Errorf("frame %d: changed is %t", o.frame, o.changed)
				}
			}
			if len(s.done) != 3 || len(s.pending) != 0 {
				t.Errorf("%d frames are resolved and %d pending", len(s.done), len(s.pending))
			}
		})
	}
}

func TestRingErrors(t *testing.T) {
	f := newFakeRing(t)
	f.add(1, 1)
	if _, err := f.next(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range f.Slots {
		f.add(1, 1)
	}
	err := f.read(1, make([]byte, f.frameSize()))
	const want = "frame 1 of the stream was overwritten by frame 5"
	if fault.Of(err) != fault.Transient || !strings.Contains(err.Error(), want) {
		t.Errorf("reading a slot that was overwritten: %v", err)
	}
	if _, err := f.w.WriteAt([]byte("the disk is full\x00"), f.Problem); err != nil {
		t.Fatal(err)
	}
	_, err = f.next(t.Context())
	if fault.Of(err) != fault.Transient || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("a problem of the worker: %v", err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errNoArrival)
	defer cancel()
	if _, err := newFakeRing(t).next(ctx); !errors.Is(err, errNoArrival) {
		t.Errorf("nothing arrived: %v", err)
	}
}
