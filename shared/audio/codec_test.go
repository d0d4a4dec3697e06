package audio

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"

	"helios/shared/fault"
	"helios/shared/job"
)

// In all codecs and containers, a click keeps its time, and the track has the exact length.
func TestExactTimesInAllContainers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := generate(t, filepath.Join(dir, "click.wav"), clickAt(2), Rate, 4)
	for _, codec := range Codecs() {
		for _, container := range Containers(codec) {
			t.Run(codec+"."+container, func(t *testing.T) {
				t.Parallel()
				o := options(job.Track{Source: source, Volume: 1})
				o.Codec, o.Container = codec, container
				o.FPS, o.FrameCount = job.Rate{Num: 30000, Den: 1001}, 91 // 145745.6 samples
				const want = 145746
				out := mixed(t, o)
				left, right := decoded(t, out)
				for _, samples := range [][]float64{left, right} {
					if at := loudest(samples); at < 2*Rate-1 || at > 2*Rate+1 {
						t.Errorf("the click is at sample %d, want %d", at, 2*Rate)
					}
				}
				checkLength(t, out, left, want)
				if first, second := read(t, out), read(t, mixed(t, o)); !bytes.Equal(first, second) {
					t.Error("the second output differs from the first")
				}
			})
		}
	}
}

// checkLength checks the exact length of a file, in samples.
func checkLength(t *testing.T, file string, samples []float64, want int) {
	t.Helper()
	if data := read(t, file); string(data[4:8]) == "ftyp" {
		parsed, err := mp4.DecodeFile(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		elst := parsed.Moov.Trak.Edts.Elst[0].Entries
		if len(elst) != 1 || parsed.Moov.Mvhd.Timescale != Rate || elst[0].SegmentDuration != uint64(want) {
			t.Errorf("the edit list is %+v at %d ticks per second, want %d samples",
				elst, parsed.Moov.Mvhd.Timescale, want)
		}
		// ffmpeg 5.1 ignores the end of the edit list: it decodes the whole last packet.
		const packet = 1152
		if len(samples) > want && len(samples) < want+packet {
			samples = samples[:want]
		}
	}
	if len(samples) != want {
		t.Errorf("the file has %d samples, want %d", len(samples), want)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(*Options)
		want string // "" for no error
	}{
		{"good", func(o *Options) {}, ""},
		{"codec", func(o *Options) { o.Codec = "speex" },
			`the audio codec "speex" is not supported; use aac, flac, libmp3lame, libopus, pcm_s16le, pcm_s24le`},
		{"container", func(o *Options) { o.Codec, o.Container = "aac", "webm" },
			".webm cannot contain aac; use .m4a, .mp4, .mov"},
		{"no frames", func(o *Options) { o.FrameCount = 0 }, `the sound cannot have 0 frames from frame 0 at "30" frames ` +
			"per second; use a frame rate, a start of at least 0 and at least one frame"},
		{"bit rate", func(o *Options) { o.Bitrate = 100 },
			"the audio bit rate must be from 8000 to 1000000 bits per second, got 100"},
		{"loudness", func(o *Options) { o.Loudness = 3 }, "the loudness must be from -70 to -5 LUFS, got 3"},
		{"volume", func(o *Options) { o.Tracks = []job.Track{{Source: "a", Volume: 11}} },
			"the volume of a must be a factor from 0 to 10, got 11"},
		{"rate", func(o *Options) { o.Tracks = []job.Track{{Source: "a", Rate: 17}} },
			"the rate of a must be from 0.0625 to 16, got 17"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options()
			test.set(&o)
			err := o.Check()
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || err.Error() != test.want || fault.Of(err) != fault.User):
				t.Errorf("Check() = %v, want %s", err, test.want)
			}
		})
	}
}
