package stitch

import (
	"context"
	"fmt"
	"math"

	"github.com/Eyevinn/mp4ff/mp4"
)

// interleaving says how much of a sound has followed each run of pictures.
type interleaving struct {
	*sound
	samples []uint32
	ends    []int64 // in bytes
}

// interleave lays sound behind each run of pictures that is heard while they are shown.
func (p *plan) interleave(s *sound) {
	length, runs := p.runs()
	p.sound = &interleaving{sound: s, samples: make([]uint32, runs), ends: make([]int64, runs)}
	done, end := uint32(0), int64(0)
	for k := range p.sound.ends {
		n := s.count
		if int64(k) < runs-1 {
			n = max(done, s.heardBy((int64(k)+1)*int64(length)*int64(p.first.samples.duration), p.first.track.mdhd.Timescale))
		}
		end += s.size(done, n)
		done = n
		p.sound.samples[k], p.sound.ends[k] = done, end
	}
}

// before returns the bytes of sound that lie before a run of pictures.
func (s *interleaving) before(run int64) int64 {
	if s == nil || run == 0 {
		return 0
	}
	return s.ends[run-1]
}

// length returns the number of samples that follow a run of pictures.
func (s *interleaving) length(run int) uint32 {
	if run == 0 {
		return s.samples[0]
	}
	return s.samples[run] - s.samples[run-1]
}

// total returns the bytes of all sound; s may be nil.
func (s *interleaving) total() int64 {
	if s == nil {
		return 0
	}
	return s.bytes
}

// soundTrack lays out the trak box of the sound.
func (p *plan) soundTrack(ctx context.Context, timescale uint32, wide bool) (node, error) {
	s := p.sound
	duration := s.ticks(timescale)
	version := byte(0)
	if duration > math.MaxUint32 || s.start > math.MaxInt32 {
		version = 1
	}
	tkhd := *s.tkhd
	tkhd.Version, tkhd.TrackID, tkhd.Duration = version, 2, duration
	tkhd.CreationTime, tkhd.ModificationTime = 0, 0
	elst := &mp4.ElstBox{Version: version, Entries: []mp4.ElstEntry{
		{SegmentDuration: duration, MediaTime: s.start, MediaRateInteger: 1},
	}}
	var heads [2]node
	for i, b := range []mp4.Box{&tkhd, elst} {
		var err error
		if heads[i], err = encoded(b); err != nil {
			return node{}, fmt.Errorf("encoding %s: %w", b.Type(), err)
		}
	}
	stsc, runs := []uint32{0}, uint32(0)
	for k := range s.samples {
		n := s.length(k)
		if n == 0 {
			continue
		}
		runs++
		if len(stsc) == 1 || stsc[len(stsc)-2] != n {
			stsc = append(stsc, runs, n, 1)
		}
	}
	stsc[0] = uint32(len(stsc) / 3)
	offsets, width := "stco", int64(4)
	if wide {
		offsets, width = "co64", 8
	}
	return container("trak",
		heads[0],
		container("edts", heads[1]),
		container("mdia",
			literal(s.media),
			container("minf", literal(s.mediaInfo), container("stbl",
				literal(s.tables),
				table("stsc", stsc),
				table(offsets, []uint32{runs}, p.stream(ctx, width*int64(runs), p.soundOffsets(wide))),
			)),
		),
	), nil
}

// soundOffsets makes the entries of stco or co64 of the sound.
func (p *plan) soundOffsets(wide bool) appendFunc {
	length, _ := p.runs()
	frame, offset := int64(0), int64(0)
	return func(b []byte, s *samples) []byte {
		for _, size := range s.sizes {
			offset += int64(size)
			frame++
			if frame%int64(length) != 0 && frame != p.frames {
				continue
			}
			if run := (frame - 1) / int64(length); p.sound.length(int(run)) > 0 {
				b = appendOffset(b, p.start+offset+p.sound.before(run), wide)
			}
		}
		return b
	}
}
