package plan

import (
	"strings"
	"testing"
	"time"

	"helios/shared/job"
)

func TestSpread(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		frames     int64
		frame      time.Duration
		replay     time.Duration
		target     time.Duration
		partitions int
	}{
		{900, 100 * ms, 0, 60 * time.Second, 2},
		{600, 100 * ms, 0, 60 * time.Second, 1},
		{3, time.Second, 0, ms, 3},                                   // never an empty one
		{20_000_000, time.Second, 0, time.Second, job.MaxPartitions}, // never more than a map runs
		{10_000, 200 * ms, 50 * ms, time.Hour, 8},                    // the limit counts more than the target
		{1, 0, 0, 60 * time.Second, 1},                               // nothing was measured
	} {
		limit := 840 * time.Second
		if test.frames > 1_000_000 {
			limit = time.Hour
		}
		c := job.Config{FrameCount: test.frames}
		pace := Pace{Frame: test.frame, Replay: test.replay}
		n, err := Spread(c, pace, test.target, limit)
		if err != nil || n != test.partitions {
			t.Errorf("Spread of %d frames gave %d, %v; want %d", test.frames, n, err, test.partitions)
		}
		if err := CheckLimit(c, pace, max(1, n), limit); err != nil {
			t.Errorf("what Spread chose is refused: %v", err)
		}
	}
}

func TestSpreadRefusesWhatCannotBeDone(t *testing.T) {
	c := job.Config{FrameCount: 100_000}
	_, err := Spread(c, Pace{Frame: 100 * time.Millisecond, Replay: 20 * time.Millisecond}, time.Minute, 840*time.Second)
	if err == nil || !strings.Contains(err.Error(), "20ms to replay") || !strings.Contains(err.Error(), "14m0s") {
		t.Errorf("got %v", err)
	}
	err = CheckLimit(job.Config{FrameCount: 10_000}, Pace{Frame: 200 * time.Millisecond}, 2, 840*time.Second)
	if err == nil || !strings.Contains(err.Error(), "5000 frames that take about 16m40s") || !strings.Contains(err.Error(), "use at least") {
		t.Errorf("got %v", err)
	}
}

func TestRevisionEntersTheID(t *testing.T) {
	ids := map[string]bool{}
	for _, revision := range []string{"", "a", "b", "1"} {
		spec, err := New(Options{Config: job.Config{Input: "https://example.com/", FrameCount: 1}, Revision: revision})
		if err != nil {
			t.Fatal(err)
		}
		ids[spec.JobID] = true
	}
	if len(ids) != 4 {
		t.Errorf("four revisions have %d ids", len(ids))
	}
}
