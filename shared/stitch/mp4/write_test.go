package mp4_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	mp4ff "github.com/Eyevinn/mp4ff/mp4"
	"github.com/google/go-cmp/cmp"

	"helios/shared/stitch"
	"helios/shared/stitch/mp4"
	"helios/shared/store"
)

var bt709 = []string{"-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"}

// with returns its arguments, strings and lists of strings, as one list.
func with(args ...any) []string {
	var list []string
	for _, a := range args {
		switch a := a.(type) {
		case string:
			list = append(list, a)
		case []string:
			list = append(list, a...)
		}
	}
	return list
}

// The output has exactly the frames of the chunks, at exact times.
func TestWrite(t *testing.T) {
	tests := map[string]struct {
		source  source
		lengths []int // of the chunks, in frames
		delay   int64 // from decoding to displaying the first frame, in frames
	}{
		"H.264": {
			source{rate: "30", timescale: "15360", args: bt709},
			[]int{30, 30, 17},
			2,
		},
		"H.264 at 30000/1001": {
			source{rate: "30000/1001", timescale: "30000", args: with(bt709, "-movflags", "+faststart")},
			[]int{30, 30, 30, 10},
			2,
		},
		"H.265": {
			source{codec: "libx265", rate: "30", timescale: "15360", args: with(bt709, "-tag:v", "hvc1")},
			[]int{30, 30, 17},
			2,
		},
		"H.265 at 30000/1001": {
			source{codec: "libx265", rate: "30000/1001", timescale: "30000", args: with("-movflags", "+faststart")},
			[]int{30, 25, 30},
			2,
		},
		"H.264 without B-frames": {
			source{args: with("-bf", "0")},
			[]int{20, 20},
			0,
		},
		"H.264 with sync samples only": {
			source{args: with("-g", "1")},
			[]int{5, 5},
			0,
		},
		"H.264 with negative offsets": {
			source{args: with("-movflags", "+negative_cts_offsets")},
			[]int{30, 20},
			2,
		},
		"chunks shorter than the encoder's delay": {
			source{},
			[]int{1, 30, 2, 3, 1},
			2,
		},
		"H.265 chunks shorter than the encoder's delay": {
			source{codec: "libx265"},
			[]int{30, 1, 2, 3, 1},
			2,
		},
		"one frame": {
			source{},
			[]int{1},
			0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			list := names(len(tt.lengths))
			var want []string
			syncs, start := 0, 0
			for i, n := range tt.lengths {
				s := tt.source
				s.start, s.frames = start, n
				s.encode(t, join(dir, list[i]))
				start += n
				want = append(want, digests(t, join(dir, list[i]))...)
				for _, p := range probe(t, join(dir, list[i])).Packets {
					if strings.Contains(p.Flags, "K") {
						syncs++
					}
				}
			}
			info := write(t, dir, "out.mp4", list, stitch.Options{})
			checkOutput(t, join(dir, "out.mp4"), info, want, syncs)

			delay := moovOf(t, join(dir, "out.mp4")).Trak.Edts.Elst[0].Entries[0].MediaTime
			if want := tt.delay * int64(info.FrameDuration); delay != want {
				t.Errorf("the first frame is displayed %d ticks after it is decoded, want %d", delay, want)
			}
			if got, want := sampleEntry(t, join(dir, "out.mp4")), sampleEntry(t, join(dir, "a.mp4")); !bytes.Equal(got, want) {
				t.Errorf("the sample entry is different from that of the first chunk:\n%x, want\n%x", got, want)
			}
			if got, err := mp4.Probe(t.Context(), store.Dir(dir), "out.mp4"); err != nil || got != info {
				t.Errorf("Probe(output) = %+v, %v; want %+v", got, err, info)
			}
		})
	}
}

// sampleEntry returns the sample entry of a file without its btrt box.
func sampleEntry(t *testing.T, path string) []byte {
	t.Helper()
	entry := moovOf(t, path).Trak.Mdia.Minf.Stbl.Stsd.Children[0].(*mp4ff.VisualSampleEntryBox)
	for i, c := range entry.Children {
		if c.Type() == "btrt" {
			entry.Children = append(entry.Children[:i], entry.Children[i+1:]...)
			break
		}
	}
	var buf bytes.Buffer
	if err := entry.Encode(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// checkOutput checks an output with ffmpeg and ffprobe: its times, its frames, and seeking to each sync sample.
func checkOutput(t *testing.T, path string, info mp4.Info, frames []string, syncs int) {
	t.Helper()
	n := len(frames)
	p := probe(t, path)
	v := p.Streams[0]
	tick := int64(info.FrameDuration)
	if got := info.Frames; got != int64(n) {
		t.Errorf("Frames = %d, want %d", got, n)
	}
	if got := atoi(t, v.NbReadFrames); got != n {
		t.Errorf("ffprobe counts %d frames, want %d", got, n)
	}
	if got := atoi(t, v.NbFrames); got != n {
		t.Errorf("the sample tables have %d frames, want %d", got, n)
	}
	if want := fmt.Sprintf("1/%d", info.Timescale); v.TimeBase != want {
		t.Errorf("time base %s, want %s", v.TimeBase, want)
	}
	if want := int64(n) * tick; v.DurationTS != want || v.StartPTS != 0 {
		t.Errorf("starts at %d and lasts %d ticks, want 0 and %d", v.StartPTS, v.DurationTS, want)
	}
	if n > 1 {
		rate := new(big.Rat).SetFrac64(int64(info.Timescale), tick)
		if got, _ := new(big.Rat).SetString(v.AvgFrameRate); got.Cmp(rate) != 0 {
			t.Errorf("average frame rate %s, want %s", v.AvgFrameRate, rate)
		}
	}
	if fi, err := os.Stat(path); err != nil || fi.Size() != info.Bytes {
		t.Errorf("Bytes = %d, but the file is %v, %v", info.Bytes, fi, err)
	}

	if boxes := topBoxes(t, path); !cmp.Equal(boxes, []string{"ftyp", "moov", "mdat"}) {
		t.Errorf("the file has boxes %v", boxes)
	}
	moov := moovOf(t, path)
	want := uint64(n) * uint64(tick)
	edit := moov.Trak.Edts.Elst[0].Entries[0]
	for where, got := range map[string]uint64{
		"mvhd": moov.Mvhd.Duration, "tkhd": moov.Trak.Tkhd.Duration, "mdhd": moov.Trak.Mdia.Mdhd.Duration,
		"elst": edit.SegmentDuration,
	} {
		if got != want {
			t.Errorf("the duration in %s is %d, want %d", where, got, want)
		}
	}
	if moov.Mvhd.Timescale != info.Timescale {
		t.Errorf("the movie has timescale %d, want %d", moov.Mvhd.Timescale, info.Timescale)
	}
	stts := moov.Trak.Mdia.Minf.Stbl.Stts
	if !cmp.Equal(stts.SampleCount, []uint32{uint32(n)}) ||
		!cmp.Equal(stts.SampleTimeDelta, []uint32{info.FrameDuration}) {
		t.Errorf("stts has %v samples of %v ticks", stts.SampleCount, stts.SampleTimeDelta)
	}

	displayed := make([]bool, n)
	var seeks []int64
	for i, packet := range p.Packets {
		if want := int64(i)*tick - edit.MediaTime; packet.DTS != want {
			t.Fatalf("packet %d has decode time %d, want %d", i, packet.DTS, want)
		}
		if packet.PTS < packet.DTS || packet.PTS%tick != 0 || displayed[packet.PTS/tick] {
			t.Fatalf("packet %d is decoded at %d and displayed at %d", i, packet.DTS, packet.PTS)
		}
		displayed[packet.PTS/tick] = true
		if strings.Contains(packet.Flags, "K") {
			seeks = append(seeks, packet.PTS/tick)
		}
	}
	if len(seeks) != syncs {
		t.Errorf("ffprobe finds %d sync samples, want %d", len(seeks), syncs)
	}

	if diff := cmp.Diff(frames, digests(t, path)); diff != "" {
		t.Errorf("the frames are not those of the chunks (-want +got):\n%s", diff)
	}
	for _, frame := range seeks {
		// ffmpeg rounds to microseconds. A quarter of a frame later, the sync sample is still the nearest earlier one.
		at := fmt.Sprintf("%.6f", (float64(frame)+0.25)*float64(tick)/float64(info.Timescale))
		got := digests(t, path, "-noaccurate_seek", "-ss", at)
		if len(got) != n-int(frame) || got[0] != frames[frame] {
			t.Errorf("seeking to the sync sample at frame %d returns %d frames, want %d, or a different first frame",
				frame, len(got), n-int(frame))
		}
	}
}

// The output has the colours of the chunks and its own comment. Accept receives the comments of the chunks.
func TestWriteTags(t *testing.T) {
	dir := t.TempDir()
	for i, name := range names(3) {
		tag := fmt.Sprintf(`{"job":"j–1","partition":%d}`, i)
		source{start: 30 * i, args: with(bt709, "-metadata", "comment="+tag)}.encode(t, join(dir, name))
	}
	var accepted []string
	write(t, dir, "out.mp4", names(3), stitch.Options{
		Comment: `{"job":"j–1"}`,
		Accept: func(c stitch.Chunk, info stitch.Info) error {
			accepted = append(accepted, c.Name+" "+info.Comment)
			return nil
		},
	})
	if diff := cmp.Diff([]string{
		`a.mp4 {"job":"j–1","partition":0}`, `b.mp4 {"job":"j–1","partition":1}`, `c.mp4 {"job":"j–1","partition":2}`,
	}, accepted); diff != "" {
		t.Error(diff)
	}
	p := probe(t, join(dir, "out.mp4"))
	if got := p.Format.Tags["comment"]; got != `{"job":"j–1"}` {
		t.Errorf("ffprobe reads the comment %q", got)
	}
	if v := p.Streams[0]; v.Primaries != "bt709" || v.Transfer != "bt709" || v.Space != "bt709" {
		t.Errorf("the colours are %s/%s/%s, want bt709", v.Primaries, v.Transfer, v.Space)
	}
	if info, err := mp4.Probe(t.Context(), store.Dir(dir), "out.mp4"); err != nil || info.Comment != `{"job":"j–1"}` {
		t.Errorf("Probe reads the comment %q, %v", info.Comment, err)
	}

	write(t, dir, "plain.mp4", names(3), stitch.Options{})
	if tags := probe(t, join(dir, "plain.mp4")).Format.Tags; tags["comment"] != "" {
		t.Errorf("an output without a comment has %q", tags["comment"])
	}
}

// If Accept fails, Write returns its error and writes nothing.
func TestWriteAccept(t *testing.T) {
	dir := t.TempDir()
	source{}.encode(t, join(dir, "a.mp4"))
	rejected := errors.New("another Chromium")
	var out bytes.Buffer
	_, err := mp4.Write(t.Context(), &out, store.Dir(dir), chunks("a.mp4"), stitch.Options{
		Accept: func(stitch.Chunk, stitch.Info) error { return rejected },
	})
	if !errors.Is(err, rejected) || out.Len() > 0 {
		t.Errorf("Write = %v after %d bytes, want the error of Accept and no bytes", err, out.Len())
	}
}

// MOV files work as well. They store the comment differently.
func TestWriteMOV(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for i, name := range []string{"a.mov", "b.mov"} {
		source{start: 30 * i, args: with(bt709, "-metadata", "comment=a comment")}.encode(t, join(dir, name))
		want = append(want, digests(t, join(dir, name))...)
	}
	info := write(t, dir, "out.mov", []string{"a.mov", "b.mov"}, stitch.Options{Comment: "a comment"})
	checkOutput(t, join(dir, "out.mov"), info, want, 6)
	if got := probe(t, join(dir, "out.mov")).Format.Tags["comment"]; got != "a comment" {
		t.Errorf("ffprobe reads the comment %q", got)
	}
	if info, err := mp4.Probe(t.Context(), store.Dir(dir), "a.mov"); err != nil || info.Comment != "a comment" {
		t.Errorf("Probe(a.mov) = %+v, %v", info, err)
	}
}

// An output can be a chunk of another output.
func TestWriteOutputs(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for i, name := range names(4) {
		source{start: 30 * i}.encode(t, join(dir, name))
		want = append(want, digests(t, join(dir, name))...)
	}
	write(t, dir, "1.mp4", names(4)[:2], stitch.Options{})
	write(t, dir, "2.mp4", names(4)[2:], stitch.Options{})
	info := write(t, dir, "out.mp4", []string{"1.mp4", "2.mp4"}, stitch.Options{})
	checkOutput(t, join(dir, "out.mp4"), info, want, 12)
}

// Samples are copied in decode order, wherever they are in the chunk.
func TestWriteScattered(t *testing.T) {
	dir := t.TempDir()
	source{}.encode(t, join(dir, "a.mp4"))
	source{start: 30}.encode(t, join(dir, "straight.mp4"))
	data, err := os.ReadFile(join(dir, "straight.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	// Pairs of samples, in reverse order, with a gap of 3 bytes before each pair.
	scattered := data[:40:40]
	var mdat []byte
	moov := rewrite(t, join(dir, "straight.mp4"), func(moov *mp4ff.MoovBox) {
		stbl := moov.Trak.Mdia.Minf.Stbl
		sizes := stbl.Stsz.SampleSize
		offsets := make([]uint32, len(sizes)/2)
		at := stbl.Stco.ChunkOffset[0]
		var pairs [][]byte
		for i := 0; i < len(sizes); i += 2 {
			n := sizes[i] + sizes[i+1]
			pairs = append(pairs, data[at:at+n])
			at += n
		}
		for i := len(pairs) - 1; i >= 0; i-- {
			mdat = append(mdat, "gap"...)
			offsets[i] = uint32(len(scattered) + 8 + len(mdat))
			mdat = append(mdat, pairs[i]...)
		}
		stbl.Stco.ChunkOffset = offsets
		stbl.Stsc.Entries[0].SamplesPerChunk = 2
	})
	moov = moov[bytes.LastIndex(moov, []byte("moov"))-4:]
	size := len(mdat) + 8
	header := []byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size), 'm', 'd', 'a', 't'}
	save(t, join(dir, "b.mp4"), bytes.Join([][]byte{scattered, header, mdat, moov}, nil))

	want := append(digests(t, join(dir, "a.mp4")), digests(t, join(dir, "straight.mp4"))...)
	info := write(t, dir, "out.mp4", names(2), stitch.Options{})
	checkOutput(t, join(dir, "out.mp4"), info, want, 6)

	// An output that is not a file takes another code path.
	var out bytes.Buffer
	if _, err := mp4.Write(t.Context(), &out, store.Dir(dir), chunks("a.mp4", "b.mp4"), stitch.Options{}); err != nil {
		t.Fatal(err)
	}
	file, _ := os.ReadFile(join(dir, "out.mp4"))
	if !bytes.Equal(file, out.Bytes()) {
		t.Error("the outputs to a buffer and to a file are different")
	}
}

// Chunks of more than one block are copied completely, by the kernel and through buffers.
func TestWriteLargeChunk(t *testing.T) {
	dir := t.TempDir()
	const size = 40 << 20
	chunk := randomChunk(t, dir, size)
	save(t, join(dir, "a.mp4"), chunk)
	samples := chunk[bytes.Index(chunk, []byte("mdat"))+4:][:size/30*30]

	write(t, dir, "out.mp4", names(1), stitch.Options{})
	file, err := os.ReadFile(join(dir, "out.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file[len(file)-len(samples):], samples) {
		t.Error("the output does not end with the samples of the chunk")
	}
	var out bytes.Buffer
	if _, err := mp4.Write(t.Context(), &out, store.Dir(dir), chunks("a.mp4"), stitch.Options{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), file) {
		t.Error("the outputs to a buffer and to a file are different")
	}
}

// x265 records its number of threads in the sample entry. The number does not matter.
func TestWriteDifferentThreads(t *testing.T) {
	dir := t.TempDir()
	threads := func(n int) []string {
		return []string{"-x265-params", fmt.Sprintf("log-level=error:frame-threads=%d", n)}
	}
	source{codec: "libx265", args: threads(1)}.encode(t, join(dir, "a.mp4"))
	source{codec: "libx265", start: 30, args: threads(3)}.encode(t, join(dir, "b.mp4"))
	if bytes.Equal(sampleEntry(t, join(dir, "a.mp4")), sampleEntry(t, join(dir, "b.mp4"))) {
		t.Fatal("the chunks have the same sample entry; the test needs different ones")
	}
	want := append(digests(t, join(dir, "a.mp4")), digests(t, join(dir, "b.mp4"))...)
	info := write(t, dir, "out.mp4", names(2), stitch.Options{})
	checkOutput(t, join(dir, "out.mp4"), info, want, len(want)/10)
}

// fullWriter fails with errFull after some bytes.
type fullWriter struct{ left int }

var errFull = errors.New("no space left")

func (w *fullWriter) Write(b []byte) (int, error) {
	if len(b) > w.left {
		return 0, errFull
	}
	w.left -= len(b)
	return len(b), nil
}

// An error of the output is not a ChunkError.
func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	source{}.encode(t, join(dir, "a.mp4"))
	source{start: 30}.encode(t, join(dir, "b.mp4"))
	list := chunks("a.mp4", "b.mp4")
	for _, room := range []int{0, 8000} {
		_, err := mp4.Write(t.Context(), &fullWriter{room}, store.Dir(dir), list, stitch.Options{})
		if !errors.Is(err, errFull) || err.Error() != "writing the output: no space left" {
			t.Errorf("Write with room for %d bytes = %v, want %v", room, err, errFull)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := mp4.Write(ctx, &fullWriter{}, store.Dir(dir), list, stitch.Options{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Write with a cancelled context = %v", err)
	}
	if _, err := mp4.Write(t.Context(), &fullWriter{}, store.Dir(dir), nil, stitch.Options{}); err == nil {
		t.Error("Write without chunks succeeded")
	}
}
