package mp4

import (
	"slices"

	mp4ff "github.com/Eyevinn/mp4ff/mp4"

	"helios/shared/stitch"
)

// parseRuns locates the samples of a track in the file, in decode order, and merges adjacent runs. It checks that the
// runs contain all samples of the track and are inside the mdat boxes. size returns the number of bytes of the samples
// from (inclusive) to (exclusive).
func parseRuns(
	stbl []byte, mdats []stitch.Extent, samples uint32, size func(from, to uint32) int64,
) (runs []stitch.Extent, err error) {
	offsets, err := runOffsets(stbl)
	if err != nil {
		return nil, err
	}
	stsc, err := decode[*mp4ff.StscBox](stbl, "stsc")
	if err != nil {
		return nil, err
	}
	done, entry := uint32(0), -1
	for i, off := range offsets {
		for entry+1 < len(stsc.Entries) && int64(stsc.Entries[entry+1].FirstChunk) <= int64(i)+1 {
			entry++
		}
		if entry < 0 {
			return nil, stitch.Errorf(stitch.Damaged, "has a malformed stsc box: its first entry is not for chunk 1")
		}
		n := stsc.Entries[entry].SamplesPerChunk
		if n > samples-done {
			return nil, stitch.Errorf(stitch.Damaged, "has offsets for more than its %d samples", samples)
		}
		if off > maxSize {
			return nil, stitch.Errorf(stitch.Damaged, "has samples at byte %d", off)
		}
		run := stitch.Extent{Off: int64(off), Size: size(done, done+n)}
		done += n
		if last := len(runs) - 1; last >= 0 && runs[last].End() == run.Off {
			runs[last].Size += run.Size
		} else if run.Size > 0 {
			runs = append(runs, run)
		}
	}
	if done < samples {
		return nil, stitch.Errorf(stitch.Damaged, "has offsets for %d of its %d samples", done, samples)
	}
	for _, run := range runs {
		if !slices.ContainsFunc(mdats, func(m stitch.Extent) bool { return m.Contains(run) }) {
			return nil, stitch.Errorf(stitch.Damaged, "has samples outside its mdat box: bytes %d to %d", run.Off, run.End())
		}
	}
	return runs, nil
}

// runOffsets returns the offset of each run in the file.
func runOffsets(stbl []byte) ([]uint64, error) {
	if has(stbl, "co64") {
		co64, err := decode[*mp4ff.Co64Box](stbl, "co64")
		if err != nil {
			return nil, err
		}
		return co64.ChunkOffset, nil
	}
	stco, err := decode[*mp4ff.StcoBox](stbl, "stco")
	if err != nil {
		return nil, err
	}
	offsets := make([]uint64, len(stco.ChunkOffset))
	for i, off := range stco.ChunkOffset {
		offsets[i] = uint64(off)
	}
	return offsets, nil
}
