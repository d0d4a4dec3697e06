package mp4

import (
	"context"
	"math"

	mp4ff "github.com/Eyevinn/mp4ff/mp4"
)

// interleaving assigns the audio samples to the runs of the video. In the file, the audio of a run follows its frames.
type interleaving struct {
	*audio
	samples []uint32 // the number of audio samples up to the end of each run
	ends    []int64  // the number of audio bytes up to the end of each run
}

// interleave assigns to each run the audio that is played during the run.
func (p *plan) interleave(a *audio) {
	length, runs := p.runs()
	p.audio = &interleaving{audio: a, samples: make([]uint32, runs), ends: make([]int64, runs)}
	done, end := uint32(0), int64(0)
	for run := range p.audio.ends {
		n := a.count
		if int64(run) < runs-1 {
			ticks := (int64(run) + 1) * int64(length) * int64(p.first.samples.duration)
			n = max(done, a.samplesBefore(ticks, p.first.track.mdhd.Timescale))
		}
		end += a.size(done, n)
		done = n
		p.audio.samples[run], p.audio.ends[run] = done, end
	}
}

// before returns the number of audio bytes before a run of the video.
func (a *interleaving) before(run int64) int64 {
	if a == nil || run == 0 {
		return 0
	}
	return a.ends[run-1]
}

// length returns the number of audio samples that follow a run of the video.
func (a *interleaving) length(run int) uint32 {
	if run == 0 {
		return a.samples[0]
	}
	return a.samples[run] - a.samples[run-1]
}

// total returns the number of bytes of the audio; a may be nil.
func (a *interleaving) total() int64 {
	if a == nil {
		return 0
	}
	return a.bytes
}

// audioTrak lays out the trak box of the audio.
func (p *plan) audioTrak(ctx context.Context, timescale uint32, wide bool) (node, error) {
	a := p.audio
	duration := a.ticks(timescale)
	version := byte(0)
	if duration > math.MaxUint32 || a.start > math.MaxInt32 {
		version = 1
	}
	header, edits, err := trackHead(a.tkhd, trackInfo{id: 2, version: version, duration: duration, start: a.start})
	if err != nil {
		return node{}, err
	}
	var lengths runLengths
	for run := range a.samples {
		lengths.add(a.length(run))
	}
	return container("trak",
		header,
		edits,
		container("mdia",
			literal(a.media),
			container("minf", literal(a.mediaInfo), container("stbl",
				literal(a.tables),
				lengths.stsc(),
				p.offsetTable(ctx, int64(lengths.runs), wide, p.audioOffsets(wide)),
			)),
		),
	), nil
}

// trackInfo describes a track of the output.
type trackInfo struct {
	id       uint32
	version  byte   // 1 for times of 64 bits
	duration uint64 // in ticks of the movie
	start    int64  // in ticks of the track
}

// trackHead returns the tkhd box and the edts box of a track.
func trackHead(tkhd *mp4ff.TkhdBox, t trackInfo) (header, edits node, err error) {
	h := *tkhd
	h.Version, h.TrackID, h.Duration = t.version, t.id, t.duration
	h.CreationTime, h.ModificationTime = 0, 0
	if header, err = encoded(&h); err != nil {
		return header, edits, err
	}
	elst, err := encoded(&mp4ff.ElstBox{Version: t.version, Entries: []mp4ff.ElstEntry{
		{SegmentDuration: t.duration, MediaTime: t.start, MediaRateInteger: 1},
	}})
	return header, container("edts", elst), err
}

// audioOffsets generates the entries of stco or co64 of the audio.
func (p *plan) audioOffsets(wide bool) appendFunc {
	length, _ := p.runs()
	frame, offset := int64(0), int64(0)
	return func(b []byte, s *samples) []byte {
		for _, size := range s.sizes {
			offset += int64(size)
			frame++
			if frame%int64(length) != 0 && frame != p.frames {
				continue
			}
			if run := (frame - 1) / int64(length); p.audio.length(int(run)) > 0 {
				b = appendOffset(b, p.start+offset+p.audio.before(run), wide)
			}
		}
		return b
	}
}
