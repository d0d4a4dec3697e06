package stitch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/big"

	"github.com/Eyevinn/mp4ff/mp4"

	"helios/shared/store"
)

// movie is what a chunk holds.
type movie struct {
	name   string
	size   int64 // of the file, in bytes
	layout layout
	moov   []byte      // the content of the box
	file   fs.FileInfo // nil where the store has no files

	track   track
	samples *samples
	comment string
}

// track is what the output's track takes from a chunk besides samples.
type track struct {
	tkhd      *mp4.TkhdBox
	mdhd      *mp4.MdhdBox
	hdlr      []byte // the whole box
	mediaInfo []byte // the boxes in minf, without stbl
	entry     entry
}

func (m *movie) info() Info {
	return Info{
		Frames:        int64(len(m.samples.sizes)),
		Width:         m.track.entry.width,
		Height:        m.track.entry.height,
		Timescale:     m.track.mdhd.Timescale,
		FrameDuration: m.samples.duration,
		Codec:         printable(m.track.entry.codec),
		Bytes:         m.size,
		Comment:       m.comment,
	}
}

// inspect reads a chunk, all but its samples, and makes sure that it can be stitched.
func inspect(ctx context.Context, st store.Store, name string) (*movie, error) {
	r, err := open(ctx, st, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	m := &movie{name: name, size: r.Size()}
	if f, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if m.file, err = f.Stat(); err != nil {
			return nil, named(name, err)
		}
	}
	return m, named(name, m.read(r))
}

// open opens a chunk and names the one that is missing.
func open(ctx context.Context, st store.Store, name string) (store.Reader, error) {
	r, err := st.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &ChunkError{Name: name, Kind: Missing, Detail: "is missing", Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("opening chunk %s: %w", name, err)
	}
	return r, nil
}

// named puts the chunk's name into an error.
func named(name string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*ChunkError](err); ok {
		e.Name = name
		return e
	}
	return fmt.Errorf("reading chunk %s: %w", name, err)
}

func (m *movie) read(r store.Reader) error {
	w := &window{r: r, size: m.size}
	var err error
	if m.layout, err = scan(w); err != nil {
		return err
	}
	moov, err := w.bytes(m.layout.moov)
	if err != nil {
		return err
	}
	// The window's buffer is larger than the moov of a usual chunk and would be kept alive by it.
	m.moov = append([]byte(nil), moov...)
	return m.parse()
}

func (m *movie) parse() error {
	trak, err := onlyTrack(m.moov)
	if err != nil {
		return err
	}
	if m.track, err = parseTrack(trak); err != nil {
		return err
	}
	stbl, ok := find(trak, stblPath...)
	if !ok {
		return refuse(Damaged, "has no stbl box")
	}
	if m.samples, err = parseSamples(stbl.body, m.layout.mdats); err != nil {
		return err
	}
	m.comment = comment(m.moov)
	return m.checkEdits(trak)
}

var stblPath = []string{"mdia", "minf", "stbl"}

// onlyTrack returns the content of the trak box of a movie with one track, of video.
func onlyTrack(moov []byte) ([]byte, error) {
	var video []byte
	n := 0
	for b := range boxes(moov) {
		if b.name != "trak" {
			continue
		}
		n++
		hdlr, err := decode[*mp4.HdlrBox](b.body, "mdia", "hdlr")
		if err != nil {
			return nil, err
		}
		if hdlr.HandlerType == "vide" {
			video = b.body
		}
	}
	if video == nil {
		return nil, refuse(NotVideo, "has no video track")
	}
	if n > 1 {
		return nil, refuse(Unsuitable, "has %d tracks, want one of video and no other", n)
	}
	return video, nil
}

func parseTrack(trak []byte) (track, error) {
	var t track
	var err error
	if t.tkhd, err = decode[*mp4.TkhdBox](trak, "tkhd"); err != nil {
		return t, err
	}
	if t.mdhd, err = decode[*mp4.MdhdBox](trak, "mdia", "mdhd"); err != nil {
		return t, err
	}
	if t.mdhd.Timescale == 0 {
		return t, refuse(Damaged, "has a timescale of 0")
	}
	hdlr, _ := find(trak, "mdia", "hdlr")
	t.hdlr = hdlr.raw
	minf, _ := find(trak, "mdia", "minf")
	for b := range boxes(minf.body) {
		if b.name != "stbl" {
			t.mediaInfo = append(t.mediaInfo, b.raw...)
		}
	}
	stbl, _ := find(trak, stblPath...)
	t.entry, err = parseEntry(stbl.body)
	return t, err
}

// checkEdits makes sure that the edit list, if there is one, shows every frame once, from the start
// and at normal speed.
func (m *movie) checkEdits(trak []byte) error {
	if !has(trak, "edts", "elst") {
		return nil
	}
	elst, err := decode[*mp4.ElstBox](trak, "edts", "elst")
	if err != nil {
		return err
	}
	if len(elst.Entries) == 0 {
		return nil
	}
	mvhd, err := decode[*mp4.MvhdBox](m.moov, "mvhd")
	if err != nil {
		return err
	}
	if mvhd.Timescale == 0 {
		return refuse(Damaged, "has a movie timescale of 0")
	}
	e := elst.Entries[0]
	switch {
	case len(elst.Entries) > 1:
		return refuse(Unsuitable, "has an edit list of %d entries, want 1", len(elst.Entries))
	case e.MediaRateFixed32() != 1<<16:
		return refuse(Unsuitable, "has an edit list that changes its speed")
	case e.MediaTime != m.samples.delay:
		return refuse(Unsuitable, "has an edit list that starts at tick %d, but its first frame is shown at tick %d", e.MediaTime, m.samples.delay)
	}
	// The edit's length is rounded to a tick of the movie; 0 stands for the whole track.
	shown := new(big.Rat).SetFrac(new(big.Int).SetUint64(e.SegmentDuration+1), big.NewInt(int64(mvhd.Timescale)))
	lasts := big.NewRat(int64(len(m.samples.sizes))*int64(m.samples.duration), int64(m.track.mdhd.Timescale))
	if e.SegmentDuration != 0 && shown.Cmp(lasts) < 0 {
		return refuse(Unsuitable, "has an edit list that ends %s s before its frames do", new(big.Rat).Sub(lasts, shown).FloatString(3))
	}
	return nil
}
