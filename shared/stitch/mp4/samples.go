package mp4

import (
	"math"
	"slices"

	mp4ff "github.com/Eyevinn/mp4ff/mp4"

	"helios/shared/stitch"
)

// maxFrames limits the frames of one file to six days at 30 frames per second, so that a file with a wrong count
// cannot exhaust the memory.
const maxFrames = 1 << 24

// maxReorder is the largest number of frames by which a codec can delay a frame for reordering. H.264 and H.265 allow
// 16.
const maxReorder = 16

// samples are the sample tables of a chunk. The slices have one entry per sample, in decode order.
type samples struct {
	sizes []uint32
	// shifts is the display position of each sample minus its decode position, in frames.
	shifts []int32
	// sync contains the numbers of the sync samples, counted from 1; nil if all are sync samples.
	sync []uint32
	// runs locate the samples in the file. Adjacent runs are merged.
	runs []stitch.Extent
	// bytes is the sum of sizes.
	bytes int64
	// duration is the duration of each frame in ticks.
	duration uint32
	// delay is the composition offset of the first sample in ticks.
	delay int64
}

// parseSamples reads the sample tables in the content of an stbl box. It checks that they are consistent, that the
// samples are inside the mdat boxes, and that the samples can be joined.
func parseSamples(stbl []byte, mdats []stitch.Extent) (*samples, error) {
	s := &samples{}
	for _, parse := range []func([]byte) error{s.parseSizes, s.parseTimes, s.parseSync} {
		if err := parse(stbl); err != nil {
			return nil, err
		}
	}
	total := int64(0)
	for _, m := range mdats {
		total += m.Size
	}
	if s.bytes > total {
		return nil, stitch.Errorf(stitch.Damaged, "has samples of %d bytes in an mdat box of %d", s.bytes, total)
	}
	var err error
	s.runs, err = parseRuns(stbl, mdats, uint32(len(s.sizes)), s.size)
	return s, err
}

// size returns the number of bytes of the samples from (inclusive) to (exclusive).
func (s *samples) size(from, to uint32) (n int64) {
	for _, size := range s.sizes[from:to] {
		n += int64(size)
	}
	return n
}

func (s *samples) parseSizes(stbl []byte) error {
	stsz, err := decode[*mp4ff.StszBox](stbl, "stsz")
	if err != nil {
		return err
	}
	if stsz.SampleNumber == 0 {
		return stitch.Errorf(stitch.Damaged, "has no frames")
	}
	if stsz.SampleNumber > maxFrames {
		return stitch.Errorf(stitch.Damaged, "has %d frames, at most %d are allowed", stsz.SampleNumber, maxFrames)
	}
	s.sizes = stsz.SampleSize
	if stsz.SampleUniformSize != 0 {
		s.sizes = slices.Repeat([]uint32{stsz.SampleUniformSize}, int(stsz.SampleNumber))
	}
	for i, size := range s.sizes {
		if size == 0 {
			return stitch.Errorf(stitch.Damaged, "has a size of 0 for sample %d", i+1)
		}
		s.bytes += int64(size)
	}
	return nil
}

// parseTimes computes the frame duration and the display order from the presentation times. It does not use decode
// times, which encoders may write unevenly for the first samples. The output gets new ones.
func (s *samples) parseTimes(stbl []byte) error {
	times, total, err := s.decodeTimes(stbl)
	if err != nil {
		return err
	}
	s.delay, err = s.addOffsets(stbl, times)
	if err != nil {
		return err
	}
	sorted := slices.Sorted(slices.Values(times))
	n, first := int64(len(sorted)), sorted[0]
	if first != times[0] {
		return stitch.Errorf(stitch.Unsupported,
			"does not start with the frame that is displayed first; encode it with closed GOPs")
	}
	duration := total
	if n > 1 {
		duration = sorted[1] - first
	}
	for i := int64(1); i < n; i++ {
		d := sorted[i] - sorted[i-1]
		if d == duration+1 || d == duration-1 {
			return stitch.Errorf(stitch.Unsupported,
				"has frames of %d and of %d ticks; set -video_track_timescale to a multiple of its frame rate",
				min(d, duration), max(d, duration))
		}
		if d != duration {
			return stitch.Errorf(stitch.Unsupported,
				"has frames of different durations: frame %d lasts %d ticks, frame 0 lasts %d", i-1, d, duration)
		}
	}
	if total != n*duration {
		return stitch.Errorf(stitch.Unsupported,
			"has frames of different durations: it lasts %d ticks, but %d frames of %d last %d",
			total, n, duration, n*duration)
	}
	if duration <= 0 || duration > math.MaxInt32 {
		return stitch.Errorf(stitch.Damaged, "has frames that last %d ticks", duration)
	}
	s.duration = uint32(duration)
	s.shifts = make([]int32, n)
	for i, t := range times {
		s.shifts[i] = int32((t-first)/duration - int64(i))
	}
	if r := s.reorder(); r > maxReorder {
		return stitch.Errorf(stitch.Damaged, "has a frame that is decoded %d frames too late, codecs allow %d",
			r, maxReorder)
	}
	if shift := int64(slices.Max(s.shifts)); (shift+maxReorder)*duration > math.MaxInt32 {
		return stitch.Errorf(stitch.Unsupported,
			"has a frame that is displayed %d frames of %d ticks after it is decoded; use a smaller timescale",
			shift, duration)
	}
	return nil
}

// decodeTimes returns the decode times of the samples and the sum of their durations, in ticks.
func (s *samples) decodeTimes(stbl []byte) (times []int64, total int64, err error) {
	stts, err := decode[*mp4ff.SttsBox](stbl, "stts")
	if err != nil {
		return nil, 0, err
	}
	times = make([]int64, 0, len(s.sizes))
	for i, count := range stts.SampleCount {
		if int64(count) > int64(len(s.sizes)-len(times)) {
			return nil, 0, stitch.Errorf(stitch.Damaged, "has times for more than its %d samples", len(s.sizes))
		}
		for range count {
			times = append(times, total)
			total += int64(stts.SampleTimeDelta[i])
		}
	}
	if len(times) < len(s.sizes) {
		return nil, 0, stitch.Errorf(stitch.Damaged, "has times for %d of its %d samples", len(times), len(s.sizes))
	}
	return times, total, nil
}

// addOffsets adds the composition offsets to decode times, which makes them presentation times. It returns the first
// offset.
func (s *samples) addOffsets(stbl []byte, times []int64) (first int64, err error) {
	if !has(stbl, "ctts") {
		return 0, nil
	}
	ctts, err := decode[*mp4ff.CttsBox](stbl, "ctts")
	if err != nil {
		return 0, err
	}
	done := 0
	for i, offset := range ctts.SampleOffset {
		count := ctts.SampleCount(i)
		if int64(count) > int64(len(times)-done) {
			return 0, stitch.Errorf(stitch.Damaged, "has composition offsets for more than its %d samples", len(times))
		}
		for range count {
			if done == 0 {
				first = int64(offset)
			}
			times[done] += int64(offset)
			done++
		}
	}
	if done < len(times) {
		return 0, stitch.Errorf(stitch.Damaged, "has composition offsets for %d of its %d samples", done, len(times))
	}
	return first, nil
}

func (s *samples) parseSync(stbl []byte) error {
	if !has(stbl, "stss") {
		return nil
	}
	stss, err := decode[*mp4ff.StssBox](stbl, "stss")
	if err != nil {
		return err
	}
	s.sync = stss.SampleNumber
	if len(s.sync) == 0 || s.sync[0] != 1 {
		return stitch.Errorf(stitch.Unsupported, "does not start with a sync sample; encode it with closed GOPs")
	}
	for i := 1; i < len(s.sync); i++ {
		if s.sync[i] <= s.sync[i-1] {
			return stitch.Errorf(stitch.Damaged, "has sync samples out of order")
		}
	}
	if last := s.sync[len(s.sync)-1]; int64(last) > int64(len(s.sizes)) {
		return stitch.Errorf(stitch.Damaged, "has a sync sample %d, but only %d samples", last, len(s.sizes))
	}
	return nil
}

// reorder returns the largest number of frames by which a sample is decoded after its display position.
func (s *samples) reorder() int64 {
	return -int64(slices.Min(s.shifts))
}

// offsetRuns returns the number of runs of samples with equal composition offsets.
func (s *samples) offsetRuns() int64 {
	n := int64(1)
	for i := 1; i < len(s.shifts); i++ {
		if s.shifts[i] != s.shifts[i-1] {
			n++
		}
	}
	return n
}

// syncs returns the number of sync samples.
func (s *samples) syncs() int64 {
	if s.sync == nil {
		return int64(len(s.sizes))
	}
	return int64(len(s.sync))
}
