package plan

import (
	"fmt"
	"time"

	"helios/shared/job"
)

// Pace is the measured time per frame of a composition.
type Pace struct {
	// Frame is the time to capture and encode a frame.
	Frame time.Duration
	// Replay is the time to run a frame without capturing it; 0 if partitions seek directly.
	Replay time.Duration
}

// Partitions returns a number of partitions, each of which takes about target and at most limit. It returns a
// [*job.Error] if replaying the frames before the last partition takes too long for any number.
func Partitions(c job.Config, pace Pace, target, limit time.Duration) (int, error) {
	count := int64(1)
	if target > 0 && pace.Frame > 0 {
		count = ceilDiv(max(1, c.FrameCount*int64(pace.Frame)), int64(target))
	}
	count = min(count, c.FrameCount, job.MaxPartitions)
	if longest(c, pace, count) <= limit {
		return int(count), nil
	}
	most := min(c.FrameCount, job.MaxPartitions)
	if time := longest(c, pace, most); time > limit {
		return 0, job.Errorf("frameCount", "even with %d partitions, the last one takes about %s "+
			"(%s to replay a frame, %s to capture one), more than the limit of %s; "+
			"provide window.helios.seek or render fewer frames",
			most, roundSecond(time), roundMicro(pace.Replay), roundMicro(pace.Frame), roundSecond(limit))
	}
	for count < most && longest(c, pace, count) > limit {
		count = min(2*count, most)
	}
	return int(count), nil
}

// CheckLimit returns a [*job.Error] if partitions take longer than limit.
func CheckLimit(c job.Config, pace Pace, partitions int, limit time.Duration) error {
	time := longest(c, pace, int64(partitions))
	if time <= limit {
		return nil
	}
	remedy := "leave concurrency out"
	if n, err := Partitions(c, pace, 0, limit); err == nil {
		remedy = fmt.Sprintf("use at least %d", n)
	}
	return job.Errorf("concurrency", "%d is too low: partitions of %d frames take about %s (%s per frame), "+
		"more than the limit of %s; %s",
		partitions, ceilDiv(c.FrameCount, int64(partitions)), roundSecond(time), roundMicro(pace.Frame),
		roundSecond(limit), remedy)
}

// longest estimates the time of the longest partition: the last one, which replays all earlier frames. It assumes that
// the last partition has as many frames as the others.
func longest(c job.Config, pace Pace, partitions int64) time.Duration {
	size := ceilDiv(c.FrameCount, partitions)
	last := (ceilDiv(c.FrameCount, size) - 1) * size
	return time.Duration(c.StartFrame+last)*pace.Replay + time.Duration(size)*pace.Frame
}

func roundSecond(d time.Duration) time.Duration { return d.Round(time.Second) }
func roundMicro(d time.Duration) time.Duration  { return d.Round(time.Microsecond) }
