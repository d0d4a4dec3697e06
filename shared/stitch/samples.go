package stitch

import (
	"math"
	"slices"

	"github.com/Eyevinn/mp4ff/mp4"
)

// maxFrames limits the frames of one file, six days at 30 frames a second, so that a file that claims
// more is no way to exhaust memory.
const maxFrames = 1 << 24

// maxReorder is how many frames a picture can be decoded late at most: no codec keeps more for reordering.
const maxReorder = 16

// samples is what the sample tables of a chunk say. The slices are in decode order, an entry for each
// sample.
type samples struct {
	sizes []uint32
	// late says by how many frames a sample is shown later than it is decoded; negative for earlier.
	late []int32
	// sync holds the numbers of the sync samples, from 1; nil if all samples are.
	sync []uint32
	// runs are the places of the sample bytes in the file, adjacent ones joined.
	runs []extent
	// bytes is the sum of sizes.
	bytes int64
	// duration is how many ticks each frame lasts.
	duration uint32
	// delay is the composition offset of the first sample, in ticks.
	delay int64
}

// parseSamples reads the sample tables of a chunk: the content of an stbl box. It makes sure that they
// agree with each other, that the samples lie in the chunk's mdat boxes, and that the samples are fit
// to be stitched.
func parseSamples(stbl []byte, mdats []extent) (*samples, error) {
	s := &samples{}
	steps := []func([]byte) error{s.parseSizes, s.parseTimes, s.parseSync, s.parseRuns}
	for _, step := range steps {
		if err := step(stbl); err != nil {
			return nil, err
		}
	}
	room := int64(0)
	for _, m := range mdats {
		room += m.size
	}
	if s.bytes > room {
		return nil, refuse(Damaged, "has samples of %d bytes in an mdat of %d", s.bytes, room)
	}
	for _, run := range s.runs {
		if !slices.ContainsFunc(mdats, func(m extent) bool { return m.contains(run) }) {
			return nil, refuse(Damaged, "has samples outside of its mdat: bytes %d to %d", run.off, run.end())
		}
	}
	return s, nil
}

func (s *samples) parseSizes(stbl []byte) error {
	stsz, err := decode[*mp4.StszBox](stbl, "stsz")
	if err != nil {
		return err
	}
	if stsz.SampleNumber == 0 {
		return refuse(Damaged, "has no frames")
	}
	if stsz.SampleNumber > maxFrames {
		return refuse(Damaged, "has %d frames, more than the %d that are allowed", stsz.SampleNumber, maxFrames)
	}
	s.sizes = stsz.SampleSize
	if stsz.SampleUniformSize != 0 {
		s.sizes = slices.Repeat([]uint32{stsz.SampleUniformSize}, int(stsz.SampleNumber))
	}
	for i, size := range s.sizes {
		if size == 0 {
			return refuse(Damaged, "has no bytes for sample %d", i+1)
		}
		s.bytes += int64(size)
	}
	return nil
}

// parseTimes finds the frame duration and the order in which samples are shown. Only the times of
// presentation count: decode times are set anew in the output, as an encoder's first few may be uneven.
func (s *samples) parseTimes(stbl []byte) error {
	times, total, err := s.decodeTimes(stbl)
	if err != nil {
		return err
	}
	s.delay, err = s.addOffsets(stbl, times)
	if err != nil {
		return err
	}
	shown := slices.Sorted(slices.Values(times))
	n, first := int64(len(shown)), shown[0]
	if first != times[0] {
		return refuse(Unsuitable, "does not start with the frame that is shown first; encode it with closed GOPs")
	}
	duration := total
	if n > 1 {
		duration = shown[1] - first
	}
	for i := int64(1); i < n; i++ {
		d := shown[i] - shown[i-1]
		if d == duration+1 || d == duration-1 {
			return refuse(Unsuitable, "has frames of %d and of %d ticks; encode it with a -video_track_timescale that its frame rate divides", min(d, duration), max(d, duration))
		}
		if d != duration {
			return refuse(Unsuitable, "has frames of different lengths: frame %d lasts %d ticks, frame 0 lasts %d", i-1, d, duration)
		}
	}
	if total != n*duration {
		return refuse(Unsuitable, "has frames of different lengths: it lasts %d ticks, but %d frames of %d last %d", total, n, duration, n*duration)
	}
	if duration <= 0 || duration > 1<<31-1 {
		return refuse(Damaged, "has frames that last %d ticks", duration)
	}
	s.duration = uint32(duration)
	s.late = make([]int32, n)
	for i, t := range times {
		s.late[i] = int32((t-first)/duration - int64(i))
	}
	if r := s.reorder(); r > maxReorder {
		return refuse(Damaged, "has a frame that is decoded %d frames too late, more than the %d that codecs allow", r, maxReorder)
	}
	if late := int64(slices.Max(s.late)); (late+maxReorder)*duration > math.MaxInt32 {
		return refuse(Unsuitable, "has a frame that is shown %d frames of %d ticks after it is decoded; use a smaller timescale", late, duration)
	}
	return nil
}

// decodeTimes returns the decode times of the samples and the sum of their durations, in ticks.
func (s *samples) decodeTimes(stbl []byte) (times []int64, total int64, err error) {
	stts, err := decode[*mp4.SttsBox](stbl, "stts")
	if err != nil {
		return nil, 0, err
	}
	times = make([]int64, 0, len(s.sizes))
	for i, count := range stts.SampleCount {
		if int64(count) > int64(len(s.sizes)-len(times)) {
			return nil, 0, refuse(Damaged, "has times for more samples than its %d", len(s.sizes))
		}
		for range count {
			times = append(times, total)
			total += int64(stts.SampleTimeDelta[i])
		}
	}
	if len(times) < len(s.sizes) {
		return nil, 0, refuse(Damaged, "has times for %d of its %d samples", len(times), len(s.sizes))
	}
	return times, total, nil
}

// addOffsets turns decode times into times of presentation and returns the first offset.
func (s *samples) addOffsets(stbl []byte, times []int64) (first int64, err error) {
	if !has(stbl, "ctts") {
		return 0, nil
	}
	ctts, err := decode[*mp4.CttsBox](stbl, "ctts")
	if err != nil {
		return 0, err
	}
	done := 0
	for i, offset := range ctts.SampleOffset {
		count := ctts.SampleCount(i)
		if int64(count) > int64(len(times)-done) {
			return 0, refuse(Damaged, "has composition offsets for more samples than its %d", len(times))
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
		return 0, refuse(Damaged, "has composition offsets for %d of its %d samples", done, len(times))
	}
	return first, nil
}

func (s *samples) parseSync(stbl []byte) error {
	if !has(stbl, "stss") {
		return nil
	}
	stss, err := decode[*mp4.StssBox](stbl, "stss")
	if err != nil {
		return err
	}
	s.sync = stss.SampleNumber
	if len(s.sync) == 0 || s.sync[0] != 1 {
		return refuse(Unsuitable, "does not start with a sync sample; encode it with closed GOPs")
	}
	for i := 1; i < len(s.sync); i++ {
		if s.sync[i] <= s.sync[i-1] {
			return refuse(Damaged, "has sync samples out of order")
		}
	}
	if last := s.sync[len(s.sync)-1]; int64(last) > int64(len(s.sizes)) {
		return refuse(Damaged, "has a sync sample %d, but only %d samples", last, len(s.sizes))
	}
	return nil
}

func (s *samples) parseRuns(stbl []byte) error {
	offsets, err := runOffsets(stbl)
	if err != nil {
		return err
	}
	stsc, err := decode[*mp4.StscBox](stbl, "stsc")
	if err != nil {
		return err
	}
	done, entry := 0, -1
	for i, off := range offsets {
		for entry+1 < len(stsc.Entries) && int64(stsc.Entries[entry+1].FirstChunk) <= int64(i)+1 {
			entry++
		}
		if entry < 0 {
			return refuse(Damaged, "has a broken stsc box: it does not begin with run 1")
		}
		count := stsc.Entries[entry].SamplesPerChunk
		if int64(count) > int64(len(s.sizes)-done) {
			return refuse(Damaged, "has places for more samples than its %d", len(s.sizes))
		}
		run := extent{off: int64(off)}
		for _, size := range s.sizes[done:][:count] {
			run.size += int64(size)
		}
		done += int(count)
		if off > 1<<60 {
			return refuse(Damaged, "has samples at byte %d", off)
		}
		if n := len(s.runs); n > 0 && s.runs[n-1].end() == run.off {
			s.runs[n-1].size += run.size
		} else if run.size > 0 {
			s.runs = append(s.runs, run)
		}
	}
	if done < len(s.sizes) {
		return refuse(Damaged, "has places for %d of its %d samples", done, len(s.sizes))
	}
	return nil
}

// runOffsets returns where the runs of samples begin in the file.
func runOffsets(stbl []byte) ([]uint64, error) {
	if has(stbl, "co64") {
		co64, err := decode[*mp4.Co64Box](stbl, "co64")
		if err != nil {
			return nil, err
		}
		return co64.ChunkOffset, nil
	}
	stco, err := decode[*mp4.StcoBox](stbl, "stco")
	if err != nil {
		return nil, err
	}
	offsets := make([]uint64, len(stco.ChunkOffset))
	for i, off := range stco.ChunkOffset {
		offsets[i] = uint64(off)
	}
	return offsets, nil
}

// reorder returns by how many frames, at most, a sample is decoded later than its turn to be shown.
func (s *samples) reorder() int64 {
	return -int64(slices.Min(s.late))
}

// steps counts the runs of samples with the same composition offset.
func (s *samples) steps() int64 {
	n := int64(1)
	for i := 1; i < len(s.late); i++ {
		if s.late[i] != s.late[i-1] {
			n++
		}
	}
	return n
}

// syncs counts the sync samples.
func (s *samples) syncs() int64 {
	if s.sync == nil {
		return int64(len(s.sizes))
	}
	return int64(len(s.sync))
}
