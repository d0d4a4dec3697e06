package mp4

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	mp4ff "github.com/Eyevinn/mp4ff/mp4"

	"helios/shared/stitch"
)

// head lays out everything before the samples: ftyp, moov and the header of mdat.
func (p *plan) head(ctx context.Context, comment string) (node, error) {
	wide := false
	for {
		moov, err := p.moov(ctx, comment, wide)
		if err != nil {
			return node{}, err
		}
		head := sequence(literal(p.first.layout.ftyp), moov, literal(p.mdatHeader()))
		if head.size+p.bytes+p.audio.total() > math.MaxUint32 && !wide {
			wide = true
			continue
		}
		p.start = head.size
		return head, nil
	}
}

// mdatHeader returns the header of the box that contains all samples.
func (p *plan) mdatHeader() []byte {
	if size := p.bytes + p.audio.total() + 8; size <= math.MaxUint32 {
		return append(binary.BigEndian.AppendUint32(nil, uint32(size)), "mdat"...)
	}
	return binary.BigEndian.AppendUint64([]byte("\x00\x00\x00\x01mdat"), uint64(p.bytes+p.audio.total())+16)
}

// timescale returns the timescale of the movie: that of the video, or the least common multiple with that of the audio,
// so that no duration is rounded.
func (p *plan) timescale() uint32 {
	video := p.first.track.mdhd.Timescale
	if p.audio == nil {
		return video
	}
	a, v := int64(p.audio.timescale), int64(video)
	if multiple := uint64(v/gcd(v, a)) * uint64(a); multiple <= math.MaxUint32 {
		return uint32(multiple)
	}
	return video
}

// moov lays out the moov box. Sample offsets have 64 bits if wide.
func (p *plan) moov(ctx context.Context, comment string, wide bool) (node, error) {
	t := p.first.track
	timescale := p.timescale()
	ticks := uint64(p.frames) * uint64(p.first.samples.duration)
	duration := ticks * uint64(timescale/t.mdhd.Timescale)
	longest := duration
	if p.audio != nil {
		longest = max(longest, p.audio.ticks(timescale))
	}
	version := byte(0)
	if longest > math.MaxUint32 {
		version = 1
	}

	mvhd := mp4ff.CreateMvhd()
	mvhd.Version, mvhd.Timescale, mvhd.Duration = version, timescale, longest
	if p.audio != nil {
		mvhd.NextTrackID = 3
	}
	movieHeader, err := encoded(mvhd)
	if err != nil {
		return node{}, err
	}
	header, edits, err := trackHead(t.tkhd, trackInfo{id: 1, version: version, duration: duration, start: p.delay})
	if err != nil {
		return node{}, err
	}
	mdhd := *t.mdhd
	mdhd.Version, mdhd.Duration = version, ticks
	mdhd.CreationTime, mdhd.ModificationTime = 0, 0
	mediaHeader, err := encoded(&mdhd)
	if err != nil {
		return node{}, err
	}
	parts := []node{
		movieHeader,
		container("trak",
			header,
			edits,
			container("mdia",
				mediaHeader,
				literal(t.hdlr),
				container("minf", literal(t.mediaInfo), container("stbl", p.tables(ctx, wide)...)),
			),
		),
	}
	if p.audio != nil {
		trak, err := p.audioTrak(ctx, timescale, wide)
		if err != nil {
			return node{}, err
		}
		parts = append(parts, trak)
	}
	if comment != "" {
		parts = append(parts, commentBox(comment))
	}
	return container("moov", parts...), nil
}

// writeHead writes the result of head and checks its size.
func writeHead(w io.Writer, head node) error {
	buf := bufio.NewWriterSize(w, 1<<20)
	counted := &countingWriter{w: buf}
	if err := head.write(counted); err != nil {
		return err
	}
	if err := buf.Flush(); err != nil {
		return stitch.WriteError(err)
	}
	if counted.n != head.size {
		return fmt.Errorf("the boxes before the samples have %d bytes instead of %d", counted.n, head.size)
	}
	return nil
}

// countingWriter counts bytes and marks errors as those of the output.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, stitch.WriteError(err)
}
