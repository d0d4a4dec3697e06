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

// decoders maps encoders to decoders. ffmpeg's default decoder of VP9 ignores transparency.
var decoders = map[string]string{"libvpx-vp9": "libvpx-vp9", "libsvtav1": "libdav1d"}

// md5s returns the output of the framemd5 muxer.
func md5s(t *testing.T, decoder, file string) string {
	return string(run(t, "ffmpeg", "-c:v", decoder, "-i", file, "-map", "0:v", "-f", "framemd5", "-"))
}

// Joining does not change frames, and an output of several chunks looks like an output of one chunk. With lossless
// encoding, the frames are equal. Otherwise the quality of a frame depends on its neighbours, even across key frames,
// so the frames are only similar. The test then compares the PSNR.
func TestSeveralChunksLookLikeOne(t *testing.T) {
	const lossless = -1
	for _, test := range []struct {
		name, codec, filter string
		depth               int
		loss                float64 // allowed difference of the mean PSNR from that of one chunk, in dB
	}{
		{"VP9", "libvpx-vp9", opaque, 8, lossless},
		{"VP9 with transparency", "libvpx-vp9", translucent, 8, lossless},
		{"VP9 with 10 bits", "libvpx-vp9", opaque, 10, lossless},
		{"VP9 with loss", "libvpx-vp9", opaque, 8, 1},
		{"AV1", "libsvtav1", opaque, 8, 1},
		{"AV1 with 10 bits", "libsvtav1", opaque, 10, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, dir := config(), t.TempDir()
			c.VideoCodec, c.BitDepth, c.Transparent = test.codec, test.depth, test.filter == translucent
			if c.VideoCodec == "libsvtav1" {
				c.Preset = "10"
			}
			if test.loss == lossless {
				c.Quality = new(0)
			}
			source := filepath.Join(dir, "%05d.png")
			frames := testFramesIn(t, dir, 36, test.filter)
			opts := webm.Options{Options: stitch.Options{Comment: "a comment"}, FPS: c.FPS}
			// These chunks do not start at the key frames of the single chunk.
			parts := chunks(t, c, dir, frames, 13, 1, 16, 6)
			whole := write(t, dir, "one.webm", chunks(t, c, dir, frames, 36), opts)
			four := write(t, dir, "four.webm", parts, opts)
			whole.Bytes, four.Bytes = 0, 0
			if whole != four || four.Frames != 36 || four.Comment != "a comment" || four.FPS != c.FPS ||
				four.Alpha != c.Transparent {
				t.Errorf("Write returned %+v for one chunk and %+v for four", whole, four)
			}
			a, b := filepath.Join(dir, "one.webm"), filepath.Join(dir, "four.webm")
			decoder := decoders[test.codec]
			sums, separate := frameSums(md5s(t, decoder, b)), ""
			for _, part := range parts {
				separate += frameSums(md5s(t, decoder, filepath.Join(dir, part.Name)))
			}
			if sums != separate {
				t.Errorf("the frames of the output are\n%s\nwant those of the chunks:\n%s", sums, separate)
			}
			count := run(t, "ffprobe", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", b)
			if n := strings.TrimSpace(string(count)); n != "36" {
				t.Errorf("ffprobe counts %s frames, want 36", n)
			}
			if test.loss == lossless {
				if want := frameSums(md5s(t, decoder, a)); sums != want {
					t.Errorf("the frames of four chunks are\n%s\nwant those of one:\n%s", sums, want)
				}
				return
			}
			one, other := psnr(t, decoder, a, source), psnr(t, decoder, b, source)
			if mean(other) < mean(one)-test.loss || slices.Min(other) < 35 {
				t.Errorf("the PSNR of the frames is %.1f dB, and with one chunk %.1f dB", other, one)
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

// psnr returns the PSNR of the frames of a video, compared with their sources.
func psnr(t *testing.T, decoder, file, source string) (list []float64) {
	const toYUV = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,format=yuv420p"
	out := run(t, "ffmpeg", "-c:v", decoder, "-i", file, "-framerate", "30", "-i", source, "-lavfi",
		"[0:v]settb=1/30,setpts=N,format=yuv420p[a];[1:v]settb=1/30,setpts=N,"+toYUV+"[b];[a][b]psnr=stats_file=-",
		"-f", "null", "-")
	for _, found := range average.FindAllStringSubmatch(string(out), -1) {
		dB, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, dB)
	}
	if len(list) != 36 {
		t.Fatalf("ffmpeg compared %d frames, want 36", len(list))
	}
	return list
}

// frameSums extracts the checksums from the output of the framemd5 muxer, without times.
func frameSums(text string) (sums string) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			parts := strings.Split(line, ",")
			sums += parts[len(parts)-1]
		}
	}
	return sums
}

// The timestamp of frame n is n/fps, rounded to a millisecond without accumulated error. The duration is exact.
func TestTimes(t *testing.T) {
	for _, fps := range []job.Rate{
		{Num: 30000, Den: 1001}, {Num: 24, Den: 1}, {Num: 60, Den: 1}, {Num: 1, Den: 7}, {Num: 999, Den: 1},
		{Num: 25, Den: 2},
	} {
		t.Run(fps.String(), func(t *testing.T) {
			c, dir := config(), t.TempDir()
			c.FPS, c.Preset = fps, "8"
			write(t, dir, "out.webm", chunks(t, c, dir, testFrames(t, 24, opaque), 7, 1, 16), webm.Options{FPS: fps})
			out := run(t, "ffprobe", "-show_entries", "packet=pts:format=duration", "-of", "csv=p=0",
				filepath.Join(dir, "out.webm"))
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
				t.Errorf("the duration is %s s, want %s", lines[24], want)
			}
		})
	}
}

// nearly compares times in seconds. ffprobe truncates them to microseconds.
func nearly(a, b string) bool {
	x, _ := strconv.ParseFloat(a, 64)
	y, _ := strconv.ParseFloat(b, 64)
	return x-y < 2e-6 && y-x < 2e-6
}

// Seeking to a key frame returns this frame.
func TestSeeking(t *testing.T) {
	c, dir := config(), t.TempDir()
	c.GOP = 15
	c.Quality = new(0) // lossless, so that frames have known checksums
	frames := testFrames(t, 60, opaque)
	write(t, dir, "out.webm", chunks(t, c, dir, frames, 15, 30, 15), webm.Options{})
	out := filepath.Join(dir, "out.webm")
	sums := strings.Fields(frameSums(md5s(t, "libvpx-vp9", out)))
	for n := 0; n < 60; n += 15 {
		got := run(t, "ffmpeg", "-ss", fmt.Sprint(float64(n)/30), "-c:v", "libvpx-vp9", "-i", out, "-frames:v", "1",
			"-f", "framemd5", "-")
		if sum := strings.TrimSpace(frameSums(string(got))); sum != sums[n] {
			t.Errorf("seeking to frame %d returns another frame", n)
		}
	}
}

// An output without audio can be a chunk. Joining it again returns the same bytes.
func TestWriteOutput(t *testing.T) {
	c, dir := config(), t.TempDir()
	c.Transparent = true
	list := chunks(t, c, dir, testFrames(t, 24, translucent), 12, 12)
	write(t, dir, "a.webm", list, commented("x"))
	write(t, dir, "b.webm", []stitch.Chunk{{Name: "a.webm", Frames: 24}}, commented("x"))
	a, _ := os.ReadFile(filepath.Join(dir, "a.webm"))
	b, _ := os.ReadFile(filepath.Join(dir, "b.webm"))
	if len(a) == 0 || !bytes.Equal(a, b) {
		t.Error("joining the output again returned another file")
	}
}

// The output does not depend on whether the blocks fit into memory.
func TestBlocksReadAgain(t *testing.T) {
	c, dir := config(), t.TempDir()
	c.Transparent = true
	list := chunks(t, c, dir, testFrames(t, 24, translucent), 12, 7, 5)
	run(t, "ffmpeg", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "libopus", "-f", "webm",
		filepath.Join(dir, "audio.webm"))
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
			t.Errorf("if %d bytes of blocks stay in memory, the output differs: %v", room, err)
		}
	}
}

// The output has the same audio as the audio file, interleaved with the video.
func TestAudio(t *testing.T) {
	c, dir := config(), t.TempDir()
	list := chunks(t, c, dir, testFrames(t, 90, opaque), 30, 30, 30)
	audio := filepath.Join(dir, "audio.webm")
	run(t, "ffmpeg", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=3", "-c:a", "libopus",
		"-f", "webm", audio)
	info := write(t, dir, "out.webm", list, webm.Options{Options: stitch.Options{Audio: "audio.webm"}, FPS: c.FPS})
	if info.AudioCodec != "A_OPUS" || info.Frames != 90 {
		t.Errorf("got %+v", info)
	}
	out := filepath.Join(dir, "out.webm")
	pcm := func(file string) []byte {
		return run(t, "ffmpeg", "-i", file, "-map", "0:a", "-f", "s16le", "-")
	}
	before, after := pcm(audio), pcm(out)
	if len(before) != 3*48000*2 || !bytes.Equal(before, after) {
		t.Errorf("the audio differs: %d bytes in the audio file, %d in the output", len(before), len(after))
	}
	if frameSums(md5s(t, "libvpx-vp9", out)) == "" {
		t.Error("the output has no frames")
	}
	// No packet is stored more than half a second after a later one of the other track.
	latest := map[string]float64{}
	packets := run(t, "ffprobe", "-show_entries", "packet=codec_type,pts_time", "-of", "csv=p=0", out)
	for line := range strings.Lines(string(packets)) {
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
				t.Errorf("%s at %g s is stored after %s at %g s", kind, time, other, last)
			}
		}
		latest[kind] = time
	}
	if len(latest) != 2 {
		t.Errorf("the tracks are %v", latest)
	}
	err := try(t, dir, []stitch.Chunk{{Name: "out.webm"}}, webm.Options{})
	if err == nil || err.Error() != "out.webm has an audio track; pass the audio as a separate file" {
		t.Errorf("a chunk with audio: the error is %v", err)
	}
	err = try(t, dir, list, webm.Options{Options: stitch.Options{Audio: list[0].Name}})
	if err == nil || err.Error() != list[0].Name+" has no audio track" {
		t.Errorf("an audio file without audio: the error is %v", err)
	}
}

// ffprobe reads the codec, the colours and the comment of the output.
func TestTags(t *testing.T) {
	c, dir := config(), t.TempDir()
	write(t, dir, "out.webm", chunks(t, c, dir, testFrames(t, 6, opaque), 6), commented(`{"a":"ü"}`))
	const entries = "stream=codec_name,width,height,r_frame_rate,pix_fmt," +
		"color_range,color_space,color_transfer,color_primaries:format_tags=COMMENT"
	got := string(run(t, "ffprobe", "-show_entries", entries, "-of", "compact=nk=1:p=0", filepath.Join(dir, "out.webm")))
	if want := "vp9|64|64|yuv420p|tv|bt709|bt709|bt709|30/1\n{\"a\":\"ü\"}\n"; got != want {
		t.Errorf("ffprobe prints %q, want %q", got, want)
	}
}

func TestCancelledContext(t *testing.T) {
	c, dir := config(), t.TempDir()
	list := chunks(t, c, dir, testFrames(t, 6, opaque), 6)
	ctx, cancel := context.WithCancel(t.Context())
	opts := accept(func(stitch.Chunk, stitch.Info) error { cancel(); return nil })
	if _, err := webm.Write(ctx, new(bytes.Buffer), store.Dir(dir), list, opts); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}
