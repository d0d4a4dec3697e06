package mp4

import (
	"context"
	"math/big"
	"math/bits"

	mp4ff "github.com/Eyevinn/mp4ff/mp4"

	"helios/shared/stitch"
	"helios/shared/store"
)

// maxUniformSize limits the size of audio samples that all have the same size.
const maxUniformSize = 1 << 20

// audio is an MP4 or MOV file with one audio track. Its samples and tables are copied unchanged, except for the offsets
// of the samples.
type audio struct {
	*stitch.File

	tkhd      *mp4ff.TkhdBox
	timescale uint32
	media     []byte // the boxes in mdia, without minf
	mediaInfo []byte // the boxes in minf, without stbl
	tables    []byte // the boxes in stbl, without stsc, stco and co64

	count   uint32   // the number of samples
	uniform uint32   // size of each sample, or 0 if they differ
	sizes   []uint32 // size of each sample, if they differ
	bytes   int64    // the size of all samples
	delta   uint32   // duration of each sample in ticks; the last one may be shorter
	runs    []stitch.Extent

	start    int64    // the tick at which playback starts
	duration *big.Rat // of playback, in seconds
}

// openAudio opens an audio file and reads everything but its samples. The caller closes it.
func openAudio(ctx context.Context, st store.Store, name string) (*audio, error) {
	f, err := stitch.Open(ctx, st, name)
	if err != nil {
		return nil, err
	}
	a := &audio{File: f}
	if err := a.read(); err != nil {
		f.Close()
		return nil, stitch.Named(name, err)
	}
	return a, nil
}

func (a *audio) read() error {
	w := stitch.NewWindow(a.File, windowSize)
	l, err := scan(w)
	if err != nil {
		return err
	}
	moov, err := w.Bytes(l.moov)
	if err != nil {
		return err
	}
	trak, err := audioTrack(moov)
	if err != nil {
		return err
	}
	for _, parse := range []func([]byte) error{a.parseMedia, a.parseSizes, a.parseTimes} {
		if err := parse(trak); err != nil {
			return err
		}
	}
	stbl, _ := find(trak, stblPath...)
	if a.runs, err = parseRuns(stbl.body, l.mdats, a.count, a.size); err != nil {
		return err
	}
	return a.parseEdits(moov, trak)
}

// audioTrack returns the content of the trak box of a file with one audio track and no other track.
func audioTrack(moov []byte) (trak []byte, err error) {
	n := 0
	for b := range boxes(moov) {
		if b.name == "trak" {
			trak = b.body
			n++
		}
	}
	if n != 1 {
		return nil, stitch.Errorf(stitch.NotAudio, "has %d tracks, want one audio track only", n)
	}
	hdlr, err := decode[*mp4ff.HdlrBox](trak, "mdia", "hdlr")
	if err != nil {
		return nil, err
	}
	if hdlr.HandlerType != "soun" {
		return nil, stitch.Errorf(stitch.NotAudio, "has no audio track")
	}
	return trak, nil
}

func (a *audio) parseMedia(trak []byte) (err error) {
	if a.tkhd, err = decode[*mp4ff.TkhdBox](trak, "tkhd"); err != nil {
		return err
	}
	mdhd, err := decode[*mp4ff.MdhdBox](trak, "mdia", "mdhd")
	if err != nil {
		return err
	}
	if a.timescale = mdhd.Timescale; a.timescale == 0 {
		return stitch.Errorf(stitch.Damaged, "has a timescale of 0")
	}
	mdia, _ := find(trak, "mdia")
	a.media = without(mdia.body, "minf")
	minf, _ := find(mdia.body, "minf")
	a.mediaInfo = without(minf.body, "stbl")
	stbl, ok := find(minf.body, "stbl")
	if !ok || !has(stbl.body, "stsd") {
		return stitch.Errorf(stitch.Damaged, "has no stsd box")
	}
	a.tables = without(stbl.body, "stsc", "stco", "co64")
	return nil
}

func (a *audio) parseSizes(trak []byte) error {
	stbl, _ := find(trak, stblPath...)
	stsz, err := decode[*mp4ff.StszBox](stbl.body, "stsz")
	if err != nil {
		return err
	}
	a.count, a.uniform, a.sizes = stsz.SampleNumber, stsz.SampleUniformSize, stsz.SampleSize
	if a.count == 0 {
		return stitch.Errorf(stitch.Damaged, "has no samples")
	}
	if a.uniform == 0 && int64(len(a.sizes)) != int64(a.count) {
		return stitch.Errorf(stitch.Damaged, "has sizes for %d of its %d samples", len(a.sizes), a.count)
	}
	if a.uniform > maxUniformSize {
		return stitch.Errorf(stitch.Damaged, "has samples of %d bytes", a.uniform)
	}
	a.bytes = a.size(0, a.count)
	return nil
}

// size returns the number of bytes of the samples from (inclusive) to (exclusive).
func (a *audio) size(from, to uint32) (n int64) {
	if a.uniform != 0 {
		return int64(a.uniform) * int64(to-from)
	}
	for _, size := range a.sizes[from:to] {
		n += int64(size)
	}
	return n
}

func (a *audio) parseTimes(trak []byte) error {
	stbl, _ := find(trak, stblPath...)
	stts, err := decode[*mp4ff.SttsBox](stbl.body, "stts")
	if err != nil {
		return err
	}
	total := uint64(0)
	for i, n := range stts.SampleCount {
		total += uint64(n)
		last := i == len(stts.SampleCount)-1 && n == 1
		if a.delta == 0 {
			a.delta = stts.SampleTimeDelta[i]
		} else if stts.SampleTimeDelta[i] != a.delta && !last {
			return stitch.Errorf(stitch.Unsupported, "has audio samples of different durations")
		}
	}
	if total != uint64(a.count) || a.delta == 0 {
		return stitch.Errorf(stitch.Damaged, "has times for %d of its %d samples", total, a.count)
	}
	return nil
}

// parseEdits reads which samples are played. Encoders add priming samples at the start, which are not played.
func (a *audio) parseEdits(moov, trak []byte) error {
	mdhd, err := decode[*mp4ff.MdhdBox](trak, "mdia", "mdhd")
	if err != nil {
		return err
	}
	a.duration = ticksToSeconds(mdhd.Duration, a.timescale)
	if !has(trak, "edts", "elst") {
		return nil
	}
	elst, err := decode[*mp4ff.ElstBox](trak, "edts", "elst")
	if err != nil {
		return err
	}
	mvhd, err := decode[*mp4ff.MvhdBox](moov, "mvhd")
	if err != nil {
		return err
	}
	if mvhd.Timescale == 0 {
		return stitch.Errorf(stitch.Damaged, "has a movie timescale of 0")
	}
	if len(elst.Entries) != 1 || elst.Entries[0].MediaTime < 0 || elst.Entries[0].MediaRateFixed32() != 1<<16 {
		return stitch.Errorf(stitch.Unsupported, "has an edit list that does more than trim the start and the end")
	}
	e := elst.Entries[0]
	a.start = e.MediaTime
	if e.SegmentDuration != 0 {
		a.duration = ticksToSeconds(e.SegmentDuration, mvhd.Timescale)
	}
	return nil
}

// ticksToSeconds converts ticks to seconds.
func ticksToSeconds(ticks uint64, timescale uint32) *big.Rat {
	return new(big.Rat).SetFrac(new(big.Int).SetUint64(ticks), big.NewInt(int64(timescale)))
}

// ticks returns the duration of playback in ticks of another timescale, rounded to the nearest tick.
func (a *audio) ticks(timescale uint32) uint64 {
	n := new(big.Rat).Mul(a.duration, new(big.Rat).SetInt64(int64(timescale)))
	n.Add(n, big.NewRat(1, 2))
	return new(big.Int).Div(n.Num(), n.Denom()).Uint64()
}

// samplesBefore returns the number of samples that start before a playback time, given in ticks of a timescale.
func (a *audio) samplesBefore(ticks int64, timescale uint32) uint32 {
	hi, lo := bits.Mul64(uint64(ticks), uint64(a.timescale))
	lo, carry := bits.Add64(lo, uint64(a.start)*uint64(timescale), 0)
	hi += carry
	sample := uint64(timescale) * uint64(a.delta)
	if hi >= sample {
		return a.count
	}
	n, rest := bits.Div64(hi, lo, sample)
	if rest > 0 {
		n++
	}
	return uint32(min(n, uint64(a.count)))
}
