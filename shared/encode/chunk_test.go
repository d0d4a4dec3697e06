package encode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/stitch/mp4"
	"helios/shared/store"
)

// The same frames give the same bytes, so that a chunk can be rendered twice, on any machine.
func TestDeterministicBytes(t *testing.T) {
	list := frames(t, 24, 64, 64)
	for _, codec := range Codecs() {
		t.Run(codec, func(t *testing.T) {
			c, dir := configOf(codec), t.TempDir()
			var first []byte
			for i := range 2 {
				out := filepath.Join(dir, strconv.Itoa(i)+".mp4")
				encode(t, c, list, out)
				data, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first = data
				} else if !bytes.Equal(first, data) {
					t.Error("the second chunk differs from the first")
				}
				// Versions of ffmpeg's libraries change more often than their output.
				if version := libraryVersion.Find(data); version != nil {
					t.Errorf("the chunk contains the version %s", version)
				}
			}
		})
	}
}

var libraryVersion = regexp.MustCompile(`Lav[cf][0-9.]+`)

// packet is an encoded frame, in decoding order.
type packet struct {
	PTS   int64  `json:"pts"`
	Flags string `json:"flags"`
}

func (p packet) key() bool { return strings.HasPrefix(p.Flags, "K") }

func packets(t *testing.T, file string) []packet {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-show_packets", "-of", "json", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var found struct{ Packets []packet }
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	return found.Packets
}

const allFrames = "[0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23]"

// Key frames depend only on the number of a frame, not on scene cuts, and GOPs are closed. So chunks can be joined.
func TestKeyFrames(t *testing.T) {
	list := frames(t, 24, 64, 64)
	for codec, want := range map[string]string{
		"libx264": "[0 10 20]", "libx265": "[0 10 20]", "libsvtav1": "[0 10 20]", "libvpx-vp9": "[0 10 20]",
		"prores_ks": allFrames, "gif": allFrames, "mjpeg": allFrames,
	} {
		t.Run(codec, func(t *testing.T) {
			c, out := configOf(codec), filepath.Join(t.TempDir(), "out.mp4")
			// A preset with B-frames: only they can refer to frames of another GOP.
			if slices.Contains(PresetsOf(codec), "medium") {
				c.Preset = "medium"
			}
			encode(t, c, list, out)
			ticks := Timescale(c.FPS) * c.FPS.Den / c.FPS.Num
			if c.Format == job.WebM {
				ticks = 1000 * c.FPS.Den / c.FPS.Num
			}
			var keys []int64
			var latest int64 = -1
			for _, p := range packets(t, out) {
				if p.key() {
					keys = append(keys, p.PTS/ticks)
					latest = p.PTS
				} else if p.PTS <= latest {
					t.Errorf("frame %d is decoded after key frame %d but displayed before it", p.PTS/ticks, latest/ticks)
				}
			}
			if got := fmt.Sprint(keys); got != want {
				t.Errorf("the key frames are %s, want %s", got, want)
			}
		})
	}
}

// At all frame rates, all frames last the same whole number of ticks.
func TestTimescale(t *testing.T) {
	for _, test := range []struct {
		rate  job.Rate
		scale int64
	}{
		{job.Rate{Num: 30, Den: 1}, 15360},
		{job.Rate{Num: 25, Den: 1}, 12800},
		{job.Rate{Num: 24, Den: 1}, 12288},
		{job.Rate{Num: 30000, Den: 1001}, 30000},
		{job.Rate{Num: 24000, Den: 1001}, 24000},
		{job.Rate{Num: 1, Den: 60}, 16384},
		{job.Rate{Num: 1000, Den: 1}, 16000},
		{job.Rate{Num: 25, Den: 2}, 12800},
		{job.Rate{Num: 2147483647, Den: 2147483}, 2147483647},
	} {
		if got := Timescale(test.rate); got != test.scale {
			t.Errorf("Timescale(%s) = %d, want %d", test.rate, got, test.scale)
		}
	}
	list := frames(t, 3, 64, 36)
	for _, rate := range []job.Rate{{Num: 30000, Den: 1001}, {Num: 1, Den: 60}, {Num: 1000, Den: 1}, {Num: 25, Den: 2}} {
		c, dir := config(), t.TempDir()
		c.FPS = rate
		encode(t, c, list, filepath.Join(dir, "out.mp4"))
		info, err := mp4.Probe(t.Context(), store.Dir(dir), "out.mp4")
		if err != nil {
			t.Fatal(err)
		}
		scale := Timescale(rate)
		if info.Frames != 3 || int64(info.Timescale) != scale || int64(info.FrameDuration) != scale*rate.Den/rate.Num {
			t.Errorf("%s fps: %d frames of %d ticks at %d ticks per second",
				rate, info.Frames, info.FrameDuration, info.Timescale)
		}
		if info.Comment != "a comment" {
			t.Errorf("the comment is %q", info.Comment)
		}
	}
}

// ffmpeg does not interpret file names.
func TestSpecialFileNames(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"-y.mp4", "http:x.mp4", "%03d.mp4", "a b'c.mp4", "no-extension"} {
		encode(t, config(), frames(t, 1, 64, 36), name)
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

func TestTranscode(t *testing.T) {
	dir := t.TempDir()
	chunk, joined, out := filepath.Join(dir, "chunk.mp4"), filepath.Join(dir, "joined.mp4"), filepath.Join(dir, "out.mp4")
	c := config()
	encode(t, c, frames(t, 12, 64, 36), chunk)
	file, err := os.Create(joined)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	chunks := []stitch.Chunk{{Name: "chunk.mp4"}}
	if _, err := mp4.Write(t.Context(), file, store.Dir(dir), chunks, stitch.Options{}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(joined)
	if err != nil {
		t.Fatal(err)
	}

	c.VideoCodec, c.Quality = "libx265", new(30)
	if err := Transcode(t.Context(), c, bytes.NewReader(data), out); err != nil {
		t.Fatal(err)
	}
	info, err := mp4.Probe(t.Context(), store.Dir(dir), "out.mp4")
	if err != nil {
		t.Fatal(err)
	}
	if info.Frames != 12 || info.Codec != "hvc1" || info.Width != 64 || info.Height != 36 ||
		info.Timescale/info.FrameDuration != 5 || info.Timescale%info.FrameDuration != 0 {
		t.Errorf("the transcoded video is %+v", info)
	}

	if err := Transcode(t.Context(), c, bytes.NewReader(data[:len(data)/2]), out); err == nil {
		t.Error("Transcode() accepts a truncated video")
	}
	err = Transcode(t.Context(), c, strings.NewReader("not a video"), out)
	if err == nil || !strings.HasPrefix(err.Error(), "ffmpeg: ") {
		t.Errorf("Transcode() of text = %v, want an error of ffmpeg", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("changed my mind")
	cancel(reason)
	if err := Transcode(ctx, c, bytes.NewReader(data), out); !errors.Is(err, reason) {
		t.Errorf("Transcode() after cancel = %v, want %v", err, reason)
	}
}
