package mp4_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helios/shared/stitch"
	"helios/shared/stitch/mp4"
	"helios/shared/store"
)

// makeSound encodes a tone with a click at 2 s.
func makeSound(t testing.TB, path, seconds string, args ...string) {
	t.Helper()
	run(t, "ffmpeg", slices.Concat(
		[]string{"-v", "error", "-y", "-f", "lavfi", "-i", "aevalsrc=exprs='0.05*sin(2*PI*440*t)+0.9*eq(n,96000)|0.9*eq(n,96000)':s=48000:d=" + seconds},
		args, []string{"-movie_timescale", "48000", "-fflags", "+bitexact", "-flags:a", "+bitexact", path})...)
}

// heard returns what ffmpeg makes of a file's sound: samples of two channels.
func heard(t testing.TB, path string) []byte {
	t.Helper()
	return []byte(run(t, "ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-f", "f32le", "-"))
}

// loudest returns the place of the sample with the largest value.
func loudest(raw []byte) (at int) {
	largest := 0.0
	for i := 0; i < len(raw); i += 8 {
		if v := math.Abs(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i:])))); v > largest {
			at, largest = i/8, v
		}
	}
	return at
}

type stream struct {
	Type       string `json:"codec_type"`
	Duration   string `json:"duration"`
	DurationTS int64  `json:"duration_ts"`
	TimeBase   string `json:"time_base"`
	Frames     string `json:"nb_frames"`
	StartPTS   int64  `json:"start_pts"`
}

type packet struct {
	Type string `json:"codec_type"`
	Time string `json:"pts_time"`
	Pos  string `json:"pos"`
}

func probeBoth(t testing.TB, path string) (streams []stream, packets []packet) {
	t.Helper()
	var found struct {
		Streams []stream
		Packets []packet
	}
	if err := json.Unmarshal([]byte(run(t, "ffprobe", "-v", "error", "-show_streams", "-show_packets", "-of", "json", path)), &found); err != nil {
		t.Fatal(err)
	}
	return found.Streams, found.Packets
}

func seconds(t testing.TB, s string) (v float64) {
	t.Helper()
	if _, err := fmt.Sscan(s, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// Sound comes out of a stitched file as it comes out of its own, beside the pictures that it belongs to.
func TestSound(t *testing.T) {
	for _, tt := range []struct {
		name    string
		sound   string // file
		seconds string
		args    []string
		source  source
		suffix  string
	}{
		{"AAC", "s.m4a", "3.5", []string{"-c:a", "aac"}, source{}, ".mp4"},
		{"AAC at 30000/1001", "s.m4a", "3.503500", []string{"-c:a", "aac"}, source{rate: "30000/1001", timescale: "30000"}, ".mp4"},
		{"AAC with its moov first", "s.mp4", "3.5", []string{"-c:a", "aac", "-movflags", "+faststart"}, source{}, ".mp4"},
		{"AAC in H.265", "s.m4a", "3.5", []string{"-c:a", "aac"}, source{codec: "libx265", args: []string{"-tag:v", "hvc1"}}, ".mp4"},
		{"PCM in MOV", "s.mov", "3.5", []string{"-c:a", "pcm_s16le"}, source{}, ".mov"},
		{"PCM of 24 bits in MOV", "s.mov", "3.5", []string{"-c:a", "pcm_s24le"}, source{}, ".mov"},
		{"FLAC", "s.mp4", "3.5", []string{"-c:a", "flac", "-strict", "-2"}, source{}, ".mp4"},
		{"Opus", "s.mp4", "3.5", []string{"-c:a", "libopus"}, source{}, ".mp4"},
		{"MP3", "s.mp4", "3.5", []string{"-c:a", "libmp3lame"}, source{}, ".mp4"},
		{"longer than the pictures", "s.m4a", "6", []string{"-c:a", "aac"}, source{}, ".mp4"},
		{"shorter than the pictures", "s.m4a", "2.2", []string{"-c:a", "aac"}, source{}, ".mp4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			makeSound(t, join(dir, tt.sound), tt.seconds, tt.args...)
			var chunks []string
			var frames []string
			start := 0
			for i, n := range []int{40, 30, 35} {
				s := tt.source
				s.start, s.frames = start, n
				chunks = append(chunks, fmt.Sprint(i)+tt.suffix)
				s.make(t, join(dir, chunks[i]))
				frames = append(frames, digests(t, join(dir, chunks[i]))...)
				start += n
			}
			out := join(dir, "out"+tt.suffix)
			info := write(t, dir, filepath.Base(out), chunks, stitch.Options{Audio: tt.sound, Comment: "a comment"})
			if size, _ := os.Stat(out); size.Size() != info.Bytes || info.Frames != 105 {
				t.Errorf("Write tells of %+v, the file has %d bytes", info, size.Size())
			}
			if order := topBoxes(t, out); fmt.Sprint(order) != "[ftyp moov mdat]" {
				t.Errorf("the boxes are %s", order)
			}
			run(t, "ffmpeg", "-v", "error", "-i", out, "-f", "null", "-")
			if got := digests(t, out, "-an"); !slices.Equal(got, frames) {
				t.Error("the pictures changed")
			}
			alone, together := heard(t, join(dir, tt.sound)), heard(t, out)
			if !bytes.Equal(alone, together) {
				t.Errorf("%d bytes of samples became %d, or others", len(alone), len(together))
			}
			if at := loudest(together); at < 95999 || at > 96001 {
				t.Errorf("the click is at sample %d, want 96000", at)
			}

			streams, packets := probeBoth(t, out)
			if len(streams) != 2 || streams[0].Type != "video" || streams[1].Type != "audio" {
				t.Fatalf("the streams are %+v", streams)
			}
			of, _ := probeBoth(t, join(dir, tt.sound))
			of[0].Type = streams[1].Type
			if streams[1] != of[0] {
				t.Errorf("the sound is %+v, alone it was %+v", streams[1], of[0])
			}
			moov := moovOf(t, out)
			edit := moov.Traks[1].Edts.Elst[0].Entries[0]
			var length float64
			fmt.Sscan(tt.seconds, &length)
			if got := float64(edit.SegmentDuration) / float64(moov.Mvhd.Timescale); math.Abs(got-length) > 0.5/48000 {
				t.Errorf("the sound's edit lasts %.6f s, want %s", got, tt.seconds)
			}
			checkInterleaving(t, packets)

			// What is no file is written to by other means, and with the same bytes.
			var list []stitch.Chunk
			for _, name := range chunks {
				list = append(list, stitch.Chunk{Name: name})
			}
			var buf bytes.Buffer
			if _, err := mp4.Write(t.Context(), &buf, store.Dir(dir), list, stitch.Options{Audio: tt.sound, Comment: "a comment"}); err != nil {
				t.Fatal(err)
			}
			if data, _ := os.ReadFile(out); !bytes.Equal(data, buf.Bytes()) {
				t.Error("a buffer gets other bytes than a file")
			}
		})
	}
}

// checkInterleaving makes sure that a player that reads the file from its start never has one of sound and
// pictures by more than half a second, and a packet, before the other.
func checkInterleaving(t *testing.T, packets []packet) {
	t.Helper()
	slices.SortFunc(packets, func(a, b packet) int { return atoi(t, a.Pos) - atoi(t, b.Pos) })
	const allowed = 0.5 + 0.1 // frames are reordered, packets of sound are whole
	last, latest := map[string]float64{}, map[string]float64{}
	for _, p := range packets {
		latest[p.Type] = max(latest[p.Type], seconds(t, p.Time))
	}
	for _, p := range packets {
		last[p.Type] = max(last[p.Type], seconds(t, p.Time))
		ahead := last["video"] - last["audio"]
		if ahead > allowed && last["audio"] < latest["audio"] || -ahead > allowed && last["video"] < latest["video"] {
			t.Errorf("at byte %s the pictures are %.3f s ahead of the sound", p.Pos, ahead)
			return
		}
	}
}

func TestUnfitSound(t *testing.T) {
	dir := t.TempDir()
	source{}.make(t, join(dir, "a.mp4"))
	makeSound(t, join(dir, "s.m4a"), "3", "-c:a", "aac")
	makeSound(t, join(dir, "s.wav"), "3")
	data, err := os.ReadFile(join(dir, "s.m4a"))
	if err != nil {
		t.Fatal(err)
	}
	save(t, join(dir, "cut.m4a"), data[:len(data)/2])
	run(t, "ffmpeg", "-v", "error", "-i", join(dir, "a.mp4"), "-i", join(dir, "s.m4a"), "-c", "copy", join(dir, "both.mp4"))
	for name, want := range map[string]struct {
		kind   stitch.Kind
		detail string
	}{
		"gone.m4a": {stitch.Missing, "is missing"},
		"a.mp4":    {stitch.NotAudio, "has no audio track"},
		"both.mp4": {stitch.NotAudio, "has 2 tracks, want one audio track only"},
		"s.wav":    {stitch.NotVideo, `is not an MP4 or MOV file: it starts with "RIFF`},
		"cut.m4a":  {stitch.Damaged, "is truncated: "},
	} {
		var buf bytes.Buffer
		_, err := mp4.Write(t.Context(), &buf, store.Dir(dir), []stitch.Chunk{{Name: "a.mp4"}}, stitch.Options{Audio: name})
		var chunk *stitch.ChunkError
		if !errors.As(err, &chunk) || chunk.Kind != want.kind || chunk.Name != name || !strings.HasPrefix(chunk.Detail, want.detail) {
			t.Errorf("%s: %v, want %s", name, err, want.detail)
		}
		if buf.Len() > 0 {
			t.Errorf("%s: %d bytes were written", name, buf.Len())
		}
	}
}
