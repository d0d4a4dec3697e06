package stitch

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
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

// output is what samples are written to. It puts sound behind the runs of pictures.
type output struct {
	w     io.Writer
	sound *interleaving // nil if there is none
	bytes *bufio.Reader // of the sound
	done  int64         // bytes of sound
	cuts  []cut
}

// cut is a place in the pictures of a chunk where a run ends.
type cut struct {
	left int64 // bytes of pictures up to it, from the one before
	run  int64
}

// soundBlock is how much sound is read at once: many runs, so that sound in a bucket costs few requests.
const soundBlock = 1 << 20

func (p *plan) output(w io.Writer) *output {
	o := &output{w: w, sound: p.sound}
	if p.sound != nil {
		var parts []io.Reader
		for _, run := range p.sound.runs {
			parts = append(parts, io.NewSectionReader(p.sound, run.off, run.size))
		}
		o.bytes = bufio.NewReaderSize(io.MultiReader(parts...), soundBlock)
	}
	return o
}

// cuts returns where runs end among the samples of a chunk.
func (p *plan) cuts(first int64, s *samples) (list []cut) {
	if p.sound == nil {
		return nil
	}
	length, _ := p.runs()
	bytes := int64(0)
	for i, size := range s.sizes {
		bytes += int64(size)
		if frame := first + int64(i) + 1; frame%int64(length) == 0 || frame == p.frames {
			list = append(list, cut{bytes, (frame - 1) / int64(length)})
			bytes = 0
		}
	}
	return append(list, cut{bytes, -1})
}

// room returns how many of n bytes of pictures are to be written before sound follows.
func (o *output) room(n int64) int64 {
	if len(o.cuts) == 0 {
		return n
	}
	return min(n, o.cuts[0].left)
}

// wrote says that so many bytes of pictures were written, and writes the sound that follows them.
func (o *output) wrote(n int64) error {
	if len(o.cuts) == 0 {
		return nil
	}
	for o.cuts[0].left -= n; len(o.cuts) > 0 && o.cuts[0].left == 0; o.cuts = o.cuts[1:] {
		if o.cuts[0].run < 0 {
			continue
		}
		if err := o.writeSound(o.sound.ends[o.cuts[0].run]); err != nil {
			return err
		}
	}
	return nil
}

// writeSound writes the sound up to a place in it.
func (o *output) writeSound(end int64) error {
	for o.done < end {
		b, err := o.bytes.Peek(int(min(end-o.done, soundBlock)))
		if err == io.EOF {
			return named(o.sound.name, refuse(Damaged, "ended while it was being stitched"))
		}
		if err != nil {
			return fmt.Errorf("reading samples of %s: %w", o.sound.name, err)
		}
		n, err := o.w.Write(b)
		if err != nil {
			return writing(err)
		}
		o.bytes.Discard(n)
		o.done += int64(n)
	}
	return nil
}

// write writes pictures.
func (o *output) write(b []byte) error {
	for len(b) > 0 {
		n := o.room(int64(len(b)))
		if _, err := o.w.Write(b[:n]); err != nil {
			return writing(err)
		}
		if err := o.wrote(n); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
