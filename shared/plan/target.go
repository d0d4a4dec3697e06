package plan

import (
	"fmt"
	"time"

	"helios/shared/job"
)

// Pace is how long the frames of a composition take, as it was measured.
type Pace struct {
	// Frame is the time to draw and encode a frame.
	Frame time.Duration
	// Replay is the time to run a frame without capturing it; 0 if partitions seek directly.
	Replay time.Duration
}

// Spread returns the number of partitions of which each takes about target, and none more than limit.
// The error, a [*job.Error], says that there is no such number: the page has to replay too many frames.
func Spread(c job.Config, pace Pace, target, limit time.Duration) (int, error) {
	count := int64(1)
	if target > 0 && pace.Frame > 0 {
		count = ceilDiv(max(1, c.FrameCount*int64(pace.Frame)), int64(target))
	}
	count = min(count, c.FrameCount, job.MaxPartitions)
	if Longest(c, pace, count) <= limit {
		return int(count), nil
	}
	most := min(c.FrameCount, job.MaxPartitions)
	if longest := Longest(c, pace, most); longest > limit {
		return 0, job.Errorf("frameCount",
			"even in %d partitions the last one takes about %s (%s to replay a frame, %s to draw one), more than the %s that there are; offer window.helios.seek, or render fewer frames",
			most, longest.Round(time.Second), pace.Replay.Round(time.Microsecond), pace.Frame.Round(time.Microsecond), limit.Round(time.Second))
	}
	for count < most && Longest(c, pace, count) > limit {
		count = min(2*count, most)
	}
	return int(count), nil
}

// Longest estimates how long the longest of so many partitions takes: the last, if the page is replayed up to there.
func Longest(c job.Config, pace Pace, partitions int64) time.Duration {
	size := ceilDiv(c.FrameCount, partitions)
	last := (ceilDiv(c.FrameCount, size) - 1) * size
	return time.Duration(c.StartFrame+last)*pace.Replay + time.Duration(size)*pace.Frame
}

// CheckLimit refuses partitions that take longer than limit. The error, a [*job.Error], names the numbers.
func CheckLimit(c job.Config, pace Pace, partitions int, limit time.Duration) error {
	longest := Longest(c, pace, int64(partitions))
	if longest <= limit {
		return nil
	}
	remedy := "leave concurrency out"
	if n, err := Spread(c, pace, 0, limit); err == nil {
		remedy = fmt.Sprintf("use at least %d", n)
	}
	return job.Errorf("concurrency", "%d makes partitions of %d frames that take about %s (%s a frame), more than the %s that there are; %s",
		partitions, ceilDiv(c.FrameCount, int64(partitions)), longest.Round(time.Second), pace.Frame.Round(time.Microsecond), limit.Round(time.Second), remedy)
}
