package mp4

import (
	"bytes"
	"context"
	"math/big"

	mp4ff "github.com/Eyevinn/mp4ff/mp4"

	"helios/shared/stitch"
	"helios/shared/store"
)

// movie is a chunk without its samples.
type movie struct {
	stitch.Source
	layout  layout
	moov    []byte // the content of the box
	track   track
	samples *samples
	comment string
}

// track contains the parts of a chunk's video track that the output needs, without the sample tables.
type track struct {
	tkhd      *mp4ff.TkhdBox
	mdhd      *mp4ff.MdhdBox
	hdlr      []byte // the whole box
	mediaInfo []byte // the boxes in minf, without stbl
	entry     entry
}

func (m *movie) info() Info {
	return Info{
		Info: stitch.Info{
			Frames:  int64(len(m.samples.sizes)),
			Width:   m.track.entry.width,
			Height:  m.track.entry.height,
			Codec:   printable(m.track.entry.codec),
			Bytes:   m.Bytes,
			Comment: m.comment,
		},
		Timescale:     m.track.mdhd.Timescale,
		FrameDuration: m.samples.duration,
	}
}

// inspect reads a chunk and checks that it can be joined.
func inspect(ctx context.Context, st store.Store, name string) (*movie, error) {
	f, err := stitch.Open(ctx, st, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := &movie{Source: f.Source}
	return m, stitch.Named(name, m.read(stitch.NewWindow(f, windowSize)))
}

func (m *movie) read(w *stitch.Window) (err error) {
	if m.layout, err = scan(w); err != nil {
		return err
	}
	moov, err := w.Bytes(m.layout.moov)
	if err != nil {
		return err
	}
	// Without the clone, the moov would keep the window's larger buffer in memory.
	m.moov = bytes.Clone(moov)
	return m.parse()
}

func (m *movie) parse() error {
	trak, err := videoTrack(m.moov)
	if err != nil {
		return err
	}
	if m.track, err = parseTrack(trak); err != nil {
		return err
	}
	stbl, ok := find(trak, stblPath...)
	if !ok {
		return stitch.Errorf(stitch.Damaged, "has no stbl box")
	}
	if m.samples, err = parseSamples(stbl.body, m.layout.mdats); err != nil {
		return err
	}
	m.comment = comment(m.moov)
	return m.checkEdits(trak)
}

// stblPath is the path of the sample tables in a trak box.
var stblPath = []string{"mdia", "minf", "stbl"}

// videoTrack returns the content of the trak box of a file with one video track and no other track.
func videoTrack(moov []byte) ([]byte, error) {
	var video []byte
	n := 0
	for b := range boxes(moov) {
		if b.name != "trak" {
			continue
		}
		n++
		hdlr, err := decode[*mp4ff.HdlrBox](b.body, "mdia", "hdlr")
		if err != nil {
			return nil, err
		}
		if hdlr.HandlerType == "vide" {
			video = b.body
		}
	}
	if video == nil {
		return nil, stitch.Errorf(stitch.NotVideo, "has no video track")
	}
	if n > 1 {
		return nil, stitch.Errorf(stitch.Unsupported, "has %d tracks, want one video track only", n)
	}
	return video, nil
}

func parseTrack(trak []byte) (t track, err error) {
	if t.tkhd, err = decode[*mp4ff.TkhdBox](trak, "tkhd"); err != nil {
		return t, err
	}
	if t.mdhd, err = decode[*mp4ff.MdhdBox](trak, "mdia", "mdhd"); err != nil {
		return t, err
	}
	if t.mdhd.Timescale == 0 {
		return t, stitch.Errorf(stitch.Damaged, "has a timescale of 0")
	}
	hdlr, _ := find(trak, "mdia", "hdlr")
	t.hdlr = hdlr.raw
	minf, _ := find(trak, "mdia", "minf")
	t.mediaInfo = without(minf.body, "stbl")
	stbl, _ := find(trak, stblPath...)
	t.entry, err = parseEntry(stbl.body)
	return t, err
}

// checkEdits checks that the edit list, if there is one, plays every frame once, from the start, at normal speed.
func (m *movie) checkEdits(trak []byte) error {
	if !has(trak, "edts", "elst") {
		return nil
	}
	elst, err := decode[*mp4ff.ElstBox](trak, "edts", "elst")
	if err != nil {
		return err
	}
	if len(elst.Entries) == 0 {
		return nil
	}
	mvhd, err := decode[*mp4ff.MvhdBox](m.moov, "mvhd")
	if err != nil {
		return err
	}
	if mvhd.Timescale == 0 {
		return stitch.Errorf(stitch.Damaged, "has a movie timescale of 0")
	}
	e := elst.Entries[0]
	switch {
	case len(elst.Entries) > 1:
		return stitch.Errorf(stitch.Unsupported, "has an edit list of %d entries, want 1", len(elst.Entries))
	case e.MediaRateFixed32() != 1<<16:
		return stitch.Errorf(stitch.Unsupported, "has an edit list that changes the playback speed")
	case e.MediaTime != m.samples.delay:
		return stitch.Errorf(stitch.Unsupported,
			"has an edit list that starts at tick %d, but its first frame is displayed at tick %d",
			e.MediaTime, m.samples.delay)
	}
	// The edit's duration is rounded to a tick of the movie; 0 means the whole track.
	edit := new(big.Rat).Add(ticksToSeconds(e.SegmentDuration, mvhd.Timescale), big.NewRat(1, int64(mvhd.Timescale)))
	frames := ticksToSeconds(uint64(len(m.samples.sizes))*uint64(m.samples.duration), m.track.mdhd.Timescale)
	if e.SegmentDuration != 0 && edit.Cmp(frames) < 0 {
		return stitch.Errorf(stitch.Unsupported, "has an edit list that ends %s s before its frames do",
			new(big.Rat).Sub(frames, edit).FloatString(3))
	}
	return nil
}
