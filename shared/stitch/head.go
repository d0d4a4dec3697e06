package stitch

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/Eyevinn/mp4ff/mp4"
)

// head lays out what precedes the sample bytes: ftyp, moov and the header of mdat.
func (p *plan) head(ctx context.Context, comment string) (node, error) {
	wide := false
	for {
		moov, err := p.moov(ctx, comment, wide)
		if err != nil {
			return node{}, err
		}
		head := sequence(literal(p.first.layout.ftyp), moov, literal(p.mdatHeader()))
		if head.size+p.bytes+p.sound.total() > math.MaxUint32 && !wide {
			wide = true
			continue
		}
		p.start = head.size
		return head, nil
	}
}

// mdatHeader is the header of a box that holds all sample bytes.
func (p *plan) mdatHeader() []byte {
	if size := p.bytes + p.sound.total() + 8; size <= math.MaxUint32 {
		return append(binary.BigEndian.AppendUint32(nil, uint32(size)), "mdat"...)
	}
	return binary.BigEndian.AppendUint64([]byte("\x00\x00\x00\x01mdat"), uint64(p.bytes+p.sound.total())+16)
}

// timescale returns the ticks a second of the movie: those of the pictures, or what both pictures and sound
// divide, so that no duration is rounded.
func (p *plan) timescale() uint32 {
	pictures := p.first.track.mdhd.Timescale
	if p.sound == nil {
		return pictures
	}
	a, b := pictures, p.sound.timescale
	for b != 0 {
		a, b = b, a%b
	}
	if both := uint64(pictures) / uint64(a) * uint64(p.sound.timescale); both <= math.MaxUint32 {
		return uint32(both)
	}
	return pictures
}

// moov lays out the moov box. wide makes offsets of 64 bits.
func (p *plan) moov(ctx context.Context, comment string, wide bool) (node, error) {
	t := p.first.track
	timescale := p.timescale()
	ticks := uint64(p.frames) * uint64(p.first.samples.duration)
	duration := ticks * uint64(timescale/t.mdhd.Timescale)
	lasts := duration
	if p.sound != nil {
		lasts = max(lasts, p.sound.ticks(timescale))
	}
	version := byte(0)
	if lasts > math.MaxUint32 {
		version = 1
	}

	mvhd := mp4.CreateMvhd()
	mvhd.Version, mvhd.Timescale, mvhd.Duration = version, timescale, lasts
	if p.sound != nil {
		mvhd.NextTrackID = 3
	}
	tkhd := *t.tkhd
	tkhd.Version, tkhd.TrackID, tkhd.Duration = version, 1, duration
	tkhd.CreationTime, tkhd.ModificationTime = 0, 0
	mdhd := *t.mdhd
	mdhd.Version, mdhd.Duration = version, ticks
	mdhd.CreationTime, mdhd.ModificationTime = 0, 0
	elst := &mp4.ElstBox{Version: version, Entries: []mp4.ElstEntry{
		{SegmentDuration: duration, MediaTime: p.delay, MediaRateInteger: 1},
	}}
	var heads [4]node
	for i, b := range []mp4.Box{mvhd, &tkhd, elst, &mdhd} {
		var err error
		if heads[i], err = encoded(b); err != nil {
			return node{}, fmt.Errorf("encoding %s: %w", b.Type(), err)
		}
	}
	parts := []node{
		heads[0],
		container("trak",
			heads[1],
			container("edts", heads[2]),
			container("mdia",
				heads[3],
				literal(t.hdlr),
				container("minf", literal(t.mediaInfo), container("stbl", p.tables(ctx, wide)...)),
			),
		),
	}
	if p.sound != nil {
		track, err := p.soundTrack(ctx, timescale, wide)
		if err != nil {
			return node{}, err
		}
		parts = append(parts, track)
	}
	if comment != "" {
		parts = append(parts, commentBox(comment))
	}
	return container("moov", parts...), nil
}

// writeHead writes what head laid out.
func (p *plan) writeHead(w io.Writer, head node) error {
	buf := bufio.NewWriterSize(w, 1<<20)
	counted := &counter{w: buf}
	if err := head.write(counted); err != nil {
		return err
	}
	if err := buf.Flush(); err != nil {
		return writing(err)
	}
	if counted.n != head.size {
		return fmt.Errorf("the head of the output came to %d bytes and not to %d", counted.n, head.size)
	}
	return nil
}

// counter counts the bytes that it passes on.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, writing(err)
}

// writing says of an error that it came from writing the output, and not from reading a chunk.
func writing(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("writing the output: %w", err)
}
