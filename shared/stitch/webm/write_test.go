package webm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/stitch/webm"
	"helios/shared/store"
)

// decoders are what reads a codec with all that it has: ffmpeg's own decoder of VP9 drops transparency.
var decoders = map[string]string{"libvpx-vp9": "libvpx-vp9", "libsvtav1": "libdav1d"}

func md5s(t *testing.T, decoder, file string) string {
	return string(tool(t, "ffmpeg", "-c:v", decoder, "-i", file, "-map", "0:v", "-f", "framemd5", "-"))
}

// Joining changes no picture, and partitions do not show. What is encoded without loss is the same whatever the
// partitions. Otherwise both encoders choose the quality of a frame by what was before and what comes after it,
// also across key frames, so that an encoder that was started anew chooses a little differently: there the
// frames are compared with their sources.
func TestPartitionsDoNotShow(t *testing.T) {
	const lossless = -1
	for _, test := range []struct {
		name, codec, filter string
		depth               int
		loss                float64 // how much worse frames may be on average than without partitions, in dB
	}{
		{"VP9", "libvpx-vp9", opaque, 8, lossless},
		{"VP9 with transparency", "libvpx-vp9", half, 8, lossless},
		{"VP9 with 10 bits", "libvpx-vp9", opaque, 10, lossless},
		{"VP9 with loss", "libvpx-vp9", opaque, 8, 1},
		{"AV1", "libsvtav1", opaque, 8, 1},
		{"AV1 with 10 bits", "libsvtav1", opaque, 10, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, dir := config(), t.TempDir()
			c.VideoCodec, c.BitDepth, c.Transparent = test.codec, test.depth, test.filter == half
			if c.VideoCodec == "libsvtav1" {
				c.Preset = "10"
			}
			if test.loss == lossless {
				c.Quality = new(0)
			}
			source := filepath.Join(dir, "%05d.png")
			frames := picturesIn(t, dir, 36, test.filter)
			opts := webm.Options{Options: stitch.Options{Comment: "a comment"}, FPS: c.FPS}
			// Partitions do not begin where groups of pictures would.
			parts := chunks(t, c, dir, frames, 13, 1, 16, 6)
			whole := write(t, dir, "one.webm", chunks(t, c, dir, frames, 36), opts)
			four := write(t, dir, "four.webm", parts, opts)
			if whole.Bytes, four.Bytes = 0, 0; whole != four || four.Frames != 36 || four.Comment != "a comment" || four.FPS != c.FPS || four.Alpha != c.Transparent {
				t.Errorf("got %+v and %+v", whole, four)
			}
			a, b := filepath.Join(dir, "one.webm"), filepath.Join(dir, "four.webm")
			decoder := decoders[test.codec]
			sums, apart := pictureSums(md5s(t, decoder, b)), ""
			for _, part := range parts {
				apart += pictureSums(md5s(t, decoder, filepath.Join(dir, part.Name)))
			}
			if sums != apart {
				t.Errorf("joined, the pictures are\n%s\nnot\n%s", sums, apart)
			}
			if n := strings.TrimSpace(string(tool(t, "ffprobe", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", b))); n != "36" {
				t.Errorf("ffprobe counts %s frames", n)
			}
			if test.loss == lossless {
				if want := pictureSums(md5s(t, decoder, a)); sums != want {
					t.Errorf("in partitions, the pictures are\n%s\nnot\n%s", sums, want)
				}
				return
			}
			one, other := psnr(t, decoder, a, source), psnr(t, decoder, b, source)
			if mean(other) < mean(one)-test.loss || slices.Min(other) < 35 {
				t.Errorf("frames are %.1f dB from their sources, and without partitions %.1f dB", other, one)
			}
		})
	}
}

func mean(list []float64) (m float64) {
	for _, v := range list {
		m += v / float64(len(list))
	}
	return m
}

var average = regexp.MustCompile(`psnr_avg:([0-9.]+|inf)`)

// psnr compares the frames of a video with their sources.
func psnr(t *testing.T, decoder, file, source string) (list []float64) {
	out := tool(t, "ffmpeg", "-c:v", decoder, "-i", file, "-framerate", "30", "-i", source, "-lavfi",
		"[0:v]settb=1/30,setpts=N,format=yuv420p[a];[1:v]settb=1/30,setpts=N,scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,format=yuv420p[b];[a][b]psnr=stats_file=-",
		"-f", "null", "-")
	for _, found := range average.FindAllStringSubmatch(string(out), -1) {
		dB, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, dB)
	}
	if len(list) != 36 {
		t.Fatalf("%d frames were compared", len(list))
	}
	return list
}

// pictureSums are the sums in what the framemd5 muxer prints, without times.
func pictureSums(text string) (sums string) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			parts := strings.Split(line, ",")
			sums += parts[len(parts)-1]
		}
	}
	return sums
}

// Frame n is at n/fps, rounded to a millisecond once and never added up; the output's length is exact.
func TestTimes(t *testing.T) {
	for _, fps := range []job.Rate{{Num: 30000, Den: 1001}, {Num: 24, Den: 1}, {Num: 60, Den: 1}, {Num: 1, Den: 7}, {Num: 999, Den: 1}, {Num: 25, Den: 2}} {
		t.Run(fps.String(), func(t *testing.T) {
			c, dir := config(), t.TempDir()
			c.FPS, c.Preset = fps, "8"
			write(t, dir, "out.webm", chunks(t, c, dir, pictures(t, 24, opaque), 7, 1, 16), webm.Options{FPS: fps})
			out := tool(t, "ffprobe", "-show_entries", "packet=pts:format=duration", "-of", "csv=p=0", filepath.Join(dir, "out.webm"))
			lines := strings.Fields(string(out))
			if len(lines) != 25 {
				t.Fatalf("ffprobe prints %q", lines)
			}
			for n, line := range lines[:24] {
				at := new(big.Rat).Mul(fps.At(int64(n)), big.NewRat(1000, 1))
				if got, want := line, at.FloatString(0); got != want {
					t.Errorf("frame %d is at %s ms, want %s", n, got, want)
				}
			}
			if want := fps.At(24).FloatString(6); !nearly(lines[24], want) {
				t.Errorf("it lasts %s s, want %s", lines[24], want)
			}
		})
	}
}

// nearly compares numbers of seconds: ffprobe cuts what is beyond a microsecond off.
func nearly(a, b string) bool {
	x, _ := strconv.ParseFloat(a, 64)
	y, _ := strconv.ParseFloat(b, 64)
	return x-y < 2e-6 && y-x < 2e-6
}

// A player that jumps to a key frame finds that frame.
func TestSeeking(t *testing.T) {
	c, dir := config(), t.TempDir()
	c.GOP = 15
	c.Quality = new(0) // lossless, so that each decoded frame is to be known
	frames := pictures(t, 60, opaque)
	write(t, dir, "out.webm", chunks(t, c, dir, frames, 15, 30, 15), webm.Options{})
	out := filepath.Join(dir, "out.webm")
	sums := strings.Fields(pictureSums(md5s(t, "libvpx-vp9", out)))
	for n := 0; n < 60; n += 15 {
		got := tool(t, "ffmpeg", "-ss", fmt.Sprint(float64(n)/30), "-c:v", "libvpx-vp9", "-i", out, "-frames:v", "1", "-f", "framemd5", "-")
		if sum := strings.TrimSpace(pictureSums(string(got))); sum != sums[n] {
			t.Errorf("at frame %d there is another picture", n)
		}
	}
}

// An output without sound is a chunk again, and equal chunks make equal bytes.
func TestAgain(t *testing.T) {
	c, dir := config(), t.TempDir()
	c.Transparent = true
	list := chunks(t, c, dir, pictures(t, 24, half), 12, 12)
	write(t, dir, "a.webm", list, commented("x"))
	write(t, dir, "b.webm", []stitch.Chunk{{Name: "a.webm", Frames: 24}}, commented("x"))
	a, _ := os.ReadFile(filepath.Join(dir, "a.webm"))
	b, _ := os.ReadFile(filepath.Join(dir, "b.webm"))
	if len(a) == 0 || !bytes.Equal(a, b) {
		t.Error("joined again, it is another file")
	}
}

// An output whose blocks do not fit into memory is the same.
func TestBlocksThatAreNotKept(t *testing.T) {
	c, dir := config(), t.TempDir()
	c.Transparent = true
	list := chunks(t, c, dir, pictures(t, 24, half), 12, 7, 5)
	tool(t, "ffmpeg", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "libopus", "-f", "webm", filepath.Join(dir, "audio.webm"))
	opts := webm.Options{Options: stitch.Options{Comment: "x", Audio: "audio.webm"}}
	write(t, dir, "kept.webm", list, opts)
	want, err := os.ReadFile(filepath.Join(dir, "kept.webm"))
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range []int64{0, 15 * 80} {
		restore := webm.KeepBlocks(room)
		write(t, dir, "reread.webm", list, opts)
		restore()
		if got, err := os.ReadFile(filepath.Join(dir, "reread.webm")); err != nil || !bytes.Equal(got, want) {
			t.Errorf("with room for %d bytes it is another file, %v", room, err)
		}
	}
}

// Sound is as it was, and lies beside the pictures that it belongs to.
func TestSound(t *testing.T) {
	c, dir := config(), t.TempDir()
	list := chunks(t, c, dir, pictures(t, 90, opaque), 30, 30, 30)
	sound := filepath.Join(dir, "audio.webm")
	tool(t, "ffmpeg", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=3", "-c:a", "libopus", "-f", "webm", sound)
	info := write(t, dir, "out.webm", list, webm.Options{Options: stitch.Options{Audio: "audio.webm"}, FPS: c.FPS})
	if info.AudioCodec != "A_OPUS" || info.Frames != 90 {
		t.Errorf("got %+v", info)
	}
	out := filepath.Join(dir, "out.webm")
	pcm := func(file string) []byte {
		return tool(t, "ffmpeg", "-i", file, "-map", "0:a", "-f", "s16le", "-")
	}
	before, after := pcm(sound), pcm(out)
	if len(before) != 3*48000*2 || !bytes.Equal(before, after) {
		t.Errorf("%d bytes of sound became %d, or others", len(before), len(after))
	}
	if pictureSums(md5s(t, "libvpx-vp9", out)) == "" {
		t.Error("there are no pictures")
	}
	// In the file no packet stands further from its time than half a second.
	latest := map[string]float64{}
	for line := range strings.Lines(string(tool(t, "ffprobe", "-show_entries", "packet=codec_type,pts_time", "-of", "csv=p=0", out))) {
		kind, at, _ := strings.Cut(strings.TrimSpace(line), ",")
		if kind == "" {
			continue
		}
		time, err := strconv.ParseFloat(strings.TrimSuffix(at, ","), 64)
		if err != nil {
			t.Fatal(err)
		}
		for other, last := range latest {
			if other != kind && last-time > 0.5 {
				t.Errorf("%s at %g s stands after %s at %g s", kind, time, other, last)
			}
		}
		latest[kind] = time
	}
	if len(latest) != 2 {
		t.Errorf("the tracks are %v", latest)
	}
	if err := try(t, dir, []stitch.Chunk{{Name: "out.webm"}}, webm.Options{}); err == nil || err.Error() != "out.webm has an audio track; pass the audio as a separate file" {
		t.Errorf("a chunk with sound gives the error %v", err)
	}
	if err := try(t, dir, list, webm.Options{Options: stitch.Options{Audio: list[0].Name}}); err == nil || !strings.Contains(err.Error(), "has no audio track") {
		t.Errorf("pictures for sound give the error %v", err)
	}
}

// A player that shows a chunk by itself sees what is in the output.
func TestTags(t *testing.T) {
	c, dir := config(), t.TempDir()
	write(t, dir, "out.webm", chunks(t, c, dir, pictures(t, 6, opaque), 6), commented(`{"a":"ü"}`))
	got := string(tool(t, "ffprobe", "-show_entries", "stream=codec_name,width,height,r_frame_rate,pix_fmt,color_range,color_space,color_transfer,color_primaries:format_tags=COMMENT",
		"-of", "compact=nk=1:p=0", filepath.Join(dir, "out.webm")))
	if want := "vp9|64|64|yuv420p|tv|bt709|bt709|bt709|30/1\n{\"a\":\"ü\"}\n"; got != want {
		t.Errorf("ffprobe prints %q, want %q", got, want)
	}
}

func TestContextEnds(t *testing.T) {
	c, dir := config(), t.TempDir()
	list := chunks(t, c, dir, pictures(t, 6, opaque), 6)
	ctx, cancel := context.WithCancel(t.Context())
	opts := accept(func(stitch.Chunk, stitch.Info) error { cancel(); return nil })
	if _, err := webm.Write(ctx, new(bytes.Buffer), store.Dir(dir), list, opts); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}
