package plan

import (
	"strings"
	"testing"
	"time"

	"helios/shared/job"
)

func TestPartitionsOfAPace(t *testing.T) {
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
		{3, time.Second, 0, ms, 3},                                   // no empty partition
		{20_000_000, time.Second, 0, time.Second, job.MaxPartitions}, // the maximum of a map
		{10_000, 200 * ms, 50 * ms, time.Hour, 8},                    // the limit overrides the target
		{1, 0, 0, 60 * time.Second, 1},                               // no measurement
	} {
		limit := 840 * time.Second
		if test.frames > 1_000_000 {
			limit = time.Hour
		}
		c := job.Config{FrameCount: test.frames}
		pace := Pace{Frame: test.frame, Replay: test.replay}
		n, err := Partitions(c, pace, test.target, limit)
		if err != nil || n != test.partitions {
			t.Errorf("%d frames: got %d partitions, %v; want %d", test.frames, n, err, test.partitions)
		}
		if err := CheckLimit(c, pace, max(1, n), limit); err != nil {
			t.Errorf("%d frames in %d partitions: %v", test.frames, n, err)
		}
	}
}

func TestLimit(t *testing.T) {
	const ms = time.Millisecond
	c := job.Config{FrameCount: 100_000}
	_, err := Partitions(c, Pace{Frame: 100 * ms, Replay: 20 * ms}, time.Minute, 840*time.Second)
	if err == nil || !strings.Contains(err.Error(), "20ms to replay") || !strings.Contains(err.Error(), "14m0s") {
		t.Errorf("got %v", err)
	}
	err = CheckLimit(job.Config{FrameCount: 10_000}, Pace{Frame: 200 * ms}, 2, 840*time.Second)
	for _, words := range []string{"2 is too low", "5000 frames take about 16m40s", "use at least"} {
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("got %v, want %s", err, words)
		}
	}
}
