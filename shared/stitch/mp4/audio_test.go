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

// encodeAudio encodes a tone with a click at 2 s.
func encodeAudio(t testing.TB, path, seconds string, args ...string) {
	t.Helper()
	exprs := "0.05*sin(2*PI*440*t)+0.9*eq(n,96000)|0.9*eq(n,96000)"
	run(t, "ffmpeg", slices.Concat(
		[]string{"-v", "error", "-y", "-f", "lavfi", "-i", "aevalsrc=exprs='" + exprs + "':s=48000:d=" + seconds},
		args, []string{"-movie_timescale", "48000", "-fflags", "+bitexact", "-flags:a", "+bitexact", path})...)
}

// decodeAudio decodes the audio of a file to samples of two channels.
func decodeAudio(t testing.TB, path string) []byte {
	t.Helper()
	return []byte(run(t, "ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-f", "f32le", "-"))
}

// loudest returns the index of the sample with the largest absolute value.
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
	out := run(t, "ffprobe", "-v", "error", "-show_streams", "-show_packets", "-of", "json", path)
	if err := json.Unmarshal([]byte(out), &found); err != nil {
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

// The output has the same audio as the audio file, interleaved with the video.
func TestAudio(t *testing.T) {
	for _, tt := range []struct {
		name    string
		audio   string // name of the file
		seconds string
		args    []string
		source  source
		suffix  string
	}{
		{"AAC", "s.m4a", "3.5", []string{"-c:a", "aac"}, source{}, ".mp4"},
		{
			"AAC at 30000/1001", "s.m4a", "3.503500", []string{"-c:a", "aac"},
			source{rate: "30000/1001", timescale: "30000"}, ".mp4",
		},
		{"AAC with its moov first", "s.mp4", "3.5", []string{"-c:a", "aac", "-movflags", "+faststart"}, source{}, ".mp4"},
		{
			"AAC with H.265", "s.m4a", "3.5", []string{"-c:a", "aac"},
			source{codec: "libx265", args: []string{"-tag:v", "hvc1"}}, ".mp4",
		},
		{"PCM in MOV", "s.mov", "3.5", []string{"-c:a", "pcm_s16le"}, source{}, ".mov"},
		{"PCM of 24 bits in MOV", "s.mov", "3.5", []string{"-c:a", "pcm_s24le"}, source{}, ".mov"},
		{"FLAC", "s.mp4", "3.5", []string{"-c:a", "flac", "-strict", "-2"}, source{}, ".mp4"},
		{"Opus", "s.mp4", "3.5", []string{"-c:a", "libopus"}, source{}, ".mp4"},
		{"MP3", "s.mp4", "3.5", []string{"-c:a", "libmp3lame"}, source{}, ".mp4"},
		{"longer than the video", "s.m4a", "6", []string{"-c:a", "aac"}, source{}, ".mp4"},
		{"shorter than the video", "s.m4a", "2.2", []string{"-c:a", "aac"}, source{}, ".mp4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			encodeAudio(t, join(dir, tt.audio), tt.seconds, tt.args...)
			var list []string
			var frames []string
			start := 0
			for i, n := range []int{40, 30, 35} {
				s := tt.source
				s.start, s.frames = start, n
				list = append(list, fmt.Sprint(i)+tt.suffix)
				s.encode(t, join(dir, list[i]))
				frames = append(frames, digests(t, join(dir, list[i]))...)
				start += n
			}
			out := join(dir, "out"+tt.suffix)
			opts := stitch.Options{Audio: tt.audio, Comment: "a comment"}
			info := write(t, dir, filepath.Base(out), list, opts)
			if size, _ := os.Stat(out); size.Size() != info.Bytes || info.Frames != 105 {
				t.Errorf("Write returned %+v, the file has %d bytes", info, size.Size())
			}
			if order := topBoxes(t, out); fmt.Sprint(order) != "[ftyp moov mdat]" {
				t.Errorf("the boxes are %s", order)
			}
			run(t, "ffmpeg", "-v", "error", "-i", out, "-f", "null", "-")
			if got := digests(t, out, "-an"); !slices.Equal(got, frames) {
				t.Error("the frames are not those of the chunks")
			}
			separate, joined := decodeAudio(t, join(dir, tt.audio)), decodeAudio(t, out)
			if !bytes.Equal(separate, joined) {
				t.Errorf("the audio differs: %d bytes in the output, %d in the audio file", len(joined), len(separate))
			}
			if at := loudest(joined); at < 95999 || at > 96001 {
				t.Errorf("the click is at sample %d, want 96000", at)
			}

			streams, packets := probeBoth(t, out)
			if len(streams) != 2 || streams[0].Type != "video" || streams[1].Type != "audio" {
				t.Fatalf("the streams are %+v", streams)
			}
			of, _ := probeBoth(t, join(dir, tt.audio))
			of[0].Type = streams[1].Type
			if streams[1] != of[0] {
				t.Errorf("the audio stream is %+v, want that of the audio file: %+v", streams[1], of[0])
			}
			moov := moovOf(t, out)
			edit := moov.Traks[1].Edts.Elst[0].Entries[0]
			var length float64
			fmt.Sscan(tt.seconds, &length)
			if got := float64(edit.SegmentDuration) / float64(moov.Mvhd.Timescale); math.Abs(got-length) > 0.5/48000 {
				t.Errorf("the edit list of the audio lasts %.6f s, want %s", got, tt.seconds)
			}
			checkInterleaving(t, packets)

			// An output that is not a file takes another code path.
			var buf bytes.Buffer
			if _, err := mp4.Write(t.Context(), &buf, store.Dir(dir), chunks(list...), opts); err != nil {
				t.Fatal(err)
			}
			if data, _ := os.ReadFile(out); !bytes.Equal(data, buf.Bytes()) {
				t.Error("the outputs to a buffer and to a file are different")
			}
		})
	}
}

// checkInterleaving checks that a player that reads the file sequentially has to buffer at most half a second and a
// packet of one track until it reaches the other track.
func checkInterleaving(t *testing.T, packets []packet) {
	t.Helper()
	slices.SortFunc(packets, func(a, b packet) int { return atoi(t, a.Pos) - atoi(t, b.Pos) })
	const allowed = 0.5 + 0.1 // for reordered frames and whole audio packets
	last, latest := map[string]float64{}, map[string]float64{}
	for _, p := range packets {
		latest[p.Type] = max(latest[p.Type], seconds(t, p.Time))
	}
	for _, p := range packets {
		last[p.Type] = max(last[p.Type], seconds(t, p.Time))
		ahead := last["video"] - last["audio"]
		if ahead > allowed && last["audio"] < latest["audio"] || -ahead > allowed && last["video"] < latest["video"] {
			t.Errorf("at byte %s the video is %.3f s ahead of the audio", p.Pos, ahead)
			return
		}
	}
}

func TestAudioErrors(t *testing.T) {
	dir := t.TempDir()
	source{}.encode(t, join(dir, "a.mp4"))
	encodeAudio(t, join(dir, "s.m4a"), "3", "-c:a", "aac")
	encodeAudio(t, join(dir, "s.wav"), "3")
	data, err := os.ReadFile(join(dir, "s.m4a"))
	if err != nil {
		t.Fatal(err)
	}
	save(t, join(dir, "cut.m4a"), data[:len(data)/2])
	run(t, "ffmpeg", "-v", "error", "-i", join(dir, "a.mp4"), "-i", join(dir, "s.m4a"), "-c", "copy",
		join(dir, "both.mp4"))
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
		_, err := mp4.Write(t.Context(), &buf, store.Dir(dir), chunks("a.mp4"), stitch.Options{Audio: name})
		var chunk *stitch.ChunkError
		if !errors.As(err, &chunk) || chunk.Kind != want.kind || chunk.Name != name ||
			!strings.HasPrefix(chunk.Detail, want.detail) {
			t.Errorf("%s: %v, want %s", name, err, want.detail)
		}
		if buf.Len() > 0 {
			t.Errorf("%s: Write wrote %d bytes", name, buf.Len())
		}
	}
}
