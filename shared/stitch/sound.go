package stitch

import (
	"context"
	"math/big"
	"math/bits"

	"github.com/Eyevinn/mp4ff/mp4"

	"helios/shared/store"
)

// sound is an MP4 or MOV file with one track of sound. Its samples and tables are taken as they are; only their
// places in the file change.
type sound struct {
	store.Reader
	name string

	tkhd      *mp4.TkhdBox
	timescale uint32
	media     []byte // the boxes in mdia, without minf
	mediaInfo []byte // the boxes in minf, without stbl
	tables    []byte // the boxes in stbl, without those about runs

	count   uint32   // of samples
	uniform uint32   // bytes of each, or 0 and they are in sizes
	sizes   []uint32 // bytes of each
	bytes   int64
	delta   uint32 // ticks that each lasts, perhaps but the last
	runs    []extent

	start int64    // the tick that is heard first
	lasts *big.Rat // what is heard, in seconds
}

// openSound reads all but the samples of a sound. It stays open.
func openSound(ctx context.Context, st store.Store, name string) (*sound, error) {
	r, err := open(ctx, st, name)
	if err != nil {
		return nil, err
	}
	s := &sound{Reader: r, name: name}
	if err := s.read(); err != nil {
		r.Close()
		return nil, named(name, err)
	}
	return s, nil
}

func (s *sound) read() error {
	w := &window{r: s.Reader, size: s.Size()}
	l, err := scan(w)
	if err != nil {
		return err
	}
	moov, err := w.bytes(l.moov)
	if err != nil {
		return err
	}
	trak, err := onlySound(moov)
	if err != nil {
		return err
	}
	for _, step := range []func([]byte) error{s.parseMedia, s.parseTables, s.parseTimes, s.parseRuns} {
		if err := step(trak); err != nil {
			return err
		}
	}
	for _, run := range s.runs {
		inside := false
		for _, m := range l.mdats {
			inside = inside || m.contains(run)
		}
		if !inside {
			return refuse(Damaged, "has samples outside of its mdat: bytes %d to %d", run.off, run.end())
		}
	}
	return s.parseEdits(moov, trak)
}

// onlySound returns the content of the trak box of a movie with one track, of sound.
func onlySound(moov []byte) (trak []byte, err error) {
	n := 0
	for b := range boxes(moov) {
		if b.name == "trak" {
			trak = b.body
			n++
		}
	}
	if n != 1 {
		return nil, refuse(NotSound, "has %d tracks, want one of sound and no other", n)
	}
	hdlr, err := decode[*mp4.HdlrBox](trak, "mdia", "hdlr")
	if err != nil {
		return nil, err
	}
	if hdlr.HandlerType != "soun" {
		return nil, refuse(NotSound, "has no sound")
	}
	return trak, nil
}

func (s *sound) parseMedia(trak []byte) (err error) {
	if s.tkhd, err = decode[*mp4.TkhdBox](trak, "tkhd"); err != nil {
		return err
	}
	mdhd, err := decode[*mp4.MdhdBox](trak, "mdia", "mdhd")
	if err != nil {
		return err
	}
	if s.timescale = mdhd.Timescale; s.timescale == 0 {
		return refuse(Damaged, "has a timescale of 0")
	}
	mdia, _ := find(trak, "mdia")
	s.media = without(mdia.body, "minf")
	minf, _ := find(mdia.body, "minf")
	s.mediaInfo = without(minf.body, "stbl")
	stbl, ok := find(minf.body, "stbl")
	if !ok || !has(stbl.body, "stsd") {
		return refuse(Damaged, "has no stsd box")
	}
	s.tables = without(stbl.body, "stsc", "stco", "co64")
	return nil
}

// without returns boxes as they are, but for those of some types.
func without(body []byte, names ...string) (rest []byte) {
next:
	for b := range boxes(body) {
		for _, name := range names {
			if b.name == name {
				continue next
			}
		}
		rest = append(rest, b.raw...)
	}
	return rest
}

func (s *sound) parseTables(trak []byte) error {
	stbl, _ := find(trak, stblPath...)
	stsz, err := decode[*mp4.StszBox](stbl.body, "stsz")
	if err != nil {
		return err
	}
	s.count, s.uniform, s.sizes = stsz.SampleNumber, stsz.SampleUniformSize, stsz.SampleSize
	if s.count == 0 {
		return refuse(Damaged, "has no samples")
	}
	if s.uniform == 0 && int64(len(s.sizes)) != int64(s.count) {
		return refuse(Damaged, "has sizes for %d of its %d samples", len(s.sizes), s.count)
	}
	if s.uniform > 1<<20 {
		return refuse(Damaged, "has samples of %d bytes", s.uniform)
	}
	s.bytes = s.size(0, s.count)
	return nil
}

// size returns the bytes of some samples that follow each other.
func (s *sound) size(from, to uint32) (n int64) {
	if s.uniform != 0 {
		return int64(s.uniform) * int64(to-from)
	}
	for _, size := range s.sizes[from:to] {
		n += int64(size)
	}
	return n
}

func (s *sound) parseTimes(trak []byte) error {
	stbl, _ := find(trak, stblPath...)
	stts, err := decode[*mp4.SttsBox](stbl.body, "stts")
	if err != nil {
		return err
	}
	total := uint64(0)
	for i, n := range stts.SampleCount {
		total += uint64(n)
		last := i == len(stts.SampleCount)-1 && n == 1
		if s.delta == 0 {
			s.delta = stts.SampleTimeDelta[i]
		} else if stts.SampleTimeDelta[i] != s.delta && !last {
			return refuse(Unsuitable, "has packets of sound of different lengths")
		}
	}
	if total != uint64(s.count) || s.delta == 0 {
		return refuse(Damaged, "has times for %d samples of its %d", total, s.count)
	}
	return nil
}

func (s *sound) parseRuns(trak []byte) error {
	stbl, _ := find(trak, stblPath...)
	offsets, err := runOffsets(stbl.body)
	if err != nil {
		return err
	}
	stsc, err := decode[*mp4.StscBox](stbl.body, "stsc")
	if err != nil {
		return err
	}
	done, entry := uint32(0), -1
	for i, off := range offsets {
		for entry+1 < len(stsc.Entries) && int64(stsc.Entries[entry+1].FirstChunk) <= int64(i)+1 {
			entry++
		}
		if entry < 0 || off > 1<<60 || stsc.Entries[entry].SamplesPerChunk > s.count-done {
			return refuse(Damaged, "has a broken stsc or stco box")
		}
		n := stsc.Entries[entry].SamplesPerChunk
		run := extent{int64(off), s.size(done, done+n)}
		done += n
		if last := len(s.runs) - 1; last >= 0 && s.runs[last].end() == run.off {
			s.runs[last].size += run.size
		} else {
			s.runs = append(s.runs, run)
		}
	}
	if done != s.count {
		return refuse(Damaged, "has places for %d of its %d samples", done, s.count)
	}
	return nil
}

// parseEdits finds what of the samples is heard: an encoder's first ones, for one, are not.
func (s *sound) parseEdits(moov, trak []byte) error {
	mdhd, err := decode[*mp4.MdhdBox](trak, "mdia", "mdhd")
	if err != nil {
		return err
	}
	s.lasts = ratio(mdhd.Duration, s.timescale)
	if !has(trak, "edts", "elst") {
		return nil
	}
	elst, err := decode[*mp4.ElstBox](trak, "edts", "elst")
	if err != nil {
		return err
	}
	mvhd, err := decode[*mp4.MvhdBox](moov, "mvhd")
	if err != nil {
		return err
	}
	if mvhd.Timescale == 0 {
		return refuse(Damaged, "has a movie timescale of 0")
	}
	if len(elst.Entries) != 1 || elst.Entries[0].MediaTime < 0 || elst.Entries[0].MediaRateFixed32() != 1<<16 {
		return refuse(Unsuitable, "has an edit list that does more than to cut off its ends")
	}
	e := elst.Entries[0]
	s.start = e.MediaTime
	if e.SegmentDuration != 0 {
		s.lasts = ratio(e.SegmentDuration, mvhd.Timescale)
	}
	return nil
}

func ratio(ticks uint64, timescale uint32) *big.Rat {
	return new(big.Rat).SetFrac(new(big.Int).SetUint64(ticks), big.NewInt(int64(timescale)))
}

// ticks returns how long the sound is heard in ticks of another timescale.
func (s *sound) ticks(timescale uint32) uint64 {
	n := new(big.Rat).Mul(s.lasts, new(big.Rat).SetInt64(int64(timescale)))
	n.Add(n, big.NewRat(1, 2))
	return new(big.Int).Div(n.Num(), n.Denom()).Uint64()
}

// heardBy returns how many samples begin before a time, in ticks of a timescale.
func (s *sound) heardBy(ticks int64, timescale uint32) uint32 {
	hi, lo := bits.Mul64(uint64(ticks), uint64(s.timescale))
	lo, carry := bits.Add64(lo, uint64(s.start)*uint64(timescale), 0)
	hi += carry
	each := uint64(timescale) * uint64(s.delta)
	if hi >= each {
		return s.count
	}
	n, rest := bits.Div64(hi, lo, each)
	if rest > 0 {
		n++
	}
	return uint32(min(n, uint64(s.count)))
}
