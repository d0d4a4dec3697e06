package audio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"helios/shared/fault"
	"helios/shared/job"
)

// In all formats of sources, a click plays at its time.
func TestSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// Half a millisecond: long enough for encoders of all sample rates.
	wide := "if(between(t,2,2.0005),0.9,0)"
	for _, test := range []struct {
		name     string
		rate     int
		args     []string
		within   int // the tolerance in samples at 48 kHz
		channels string
	}{
		{"a.wav", 48000, nil, 1, "1"},
		{"44.wav", 44100, nil, 2, "1"},
		{"22.wav", 22050, nil, 3, "2"},
		{"a.mp3", 44100, nil, 26, "2"},
		{"48.mp3", 48000, nil, 26, "1"},
		{"a.m4a", 44100, nil, 26, "2"},
		{"a.ogg", 44100, []string{"-c:a", "libvorbis"}, 26, "2"},
		{"a.opus", 48000, nil, 26, "1"},
		{"a.flac", 44100, nil, 2, "1"},
		{"a.webm", 48000, []string{"-c:a", "libopus"}, 26, "1"},
		{"100%20 Prozent: süß 音.wav", 48000, nil, 1, "1"},
		{"-y %03d 'x'.wav", 48000, nil, 1, "1"},
		{"surround.wav", 48000, []string{"-af", "pan=5.1|FL=c0|FR=c0"}, 1, "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"-ac", test.channels}, test.args...)
			source := generate(t, filepath.Join(dir, test.name), wide, test.rate, 4, args...)
			left, right := decoded(t, mixed(t, options(job.Track{Source: source, Volume: 1})))
			for _, samples := range [][]float64{left, right} {
				loud := clicks(samples)
				if len(loud) == 0 {
					t.Fatal("the output has no click")
				}
				first, last := loud[0]-2*Rate, loud[len(loud)-1]-2*Rate
				if first < -test.within || first > test.within || last > 25+test.within {
					t.Errorf("relative to its time, the click is from sample %d to %d", first, last)
				}
			}
		})
	}
}

// The sound of a video, if it has any, plays in sync with its frames.
func TestVideoSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one := click(t, filepath.Join(dir, "click.wav"), 1, 2)
	pattern := []string{"-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x36:d=2"}
	video := func(name string, args ...string) string {
		run(t, "ffmpeg", append(append(pattern, args...), filepath.Join(dir, name))...)
		return filepath.Join(dir, name)
	}
	with := video("with.mov", "-i", one, "-c:a", "pcm_s16le")
	late := video("late.mkv", "-itsoffset", "0.5", "-i", one, "-c:a", "pcm_s16le")
	without := video("without.mp4")
	for source, want := range map[string]string{with: "[48000]", late: "[72000]", without: "[]"} {
		left, _ := decoded(t, mixed(t, options(job.Track{Source: source, Volume: 1})))
		if got := fmt.Sprint(clicks(left)); got != want {
			t.Errorf("%s: the clicks are at %s, want %s", source, got, want)
		}
	}
}

// An error about a source contains its name.
func TestInvalidSources(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.mp3")
	empty := filepath.Join(dir, "empty.wav")
	// Playlists are not accepted: they could refer to any file of the machine.
	secret := generate(t, filepath.Join(dir, "secret.aac"), "sin(t)", 44100, 1)
	playlist, script := filepath.Join(dir, "playlist.wav"), filepath.Join(dir, "script.wav")
	for file, content := range map[string]string{
		text: "<html>not found</html>", empty: "",
		playlist: "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n" + secret + "\n#EXT-X-ENDLIST\n",
		script:   "ffconcat version 1.0\nfile secret.aac\n",
	} {
		if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "out.wav")
	for source, want := range map[string]string{
		filepath.Join(dir, "gone.mp3"): ": no such file or directory",
		dir:                            ": not a regular file",
		text:                           ": ffmpeg: ",
		empty:                          ": ffmpeg: ",
		playlist:                       ": ffmpeg: ",
		script:                         ": ffmpeg: ",
	} {
		err := Mix(t.Context(), options(job.Track{Source: source, Volume: 1}), out)
		operation := "reading"
		if want == ": ffmpeg: " {
			operation = "decoding"
		}
		want = operation + " the audio source " + source + want
		if fault.Of(err) != fault.User || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Mix() = %v, want %s", err, want)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*out*")); len(left) > 0 {
			t.Errorf("Mix() leaves %v", left)
		}
	}
}

func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	tone := generate(t, filepath.Join(dir, "tone.wav"), sine(500, 0.5), Rate, 1)
	for out, want := range map[string]string{
		filepath.Join(dir, "gone", "out.wav"): "writing to " + filepath.Join(dir, "gone") + ": no such file or directory",
		"/dev/full":                           "writing to /dev: no space left on device",
	} {
		err := Mix(t.Context(), options(job.Track{Source: tone, Volume: 1}), out)
		if fault.Of(err) != fault.User || err.Error() != want {
			t.Errorf("writing to %s: %v, want %s", out, err, want)
		}
	}
}

// At any time, Mix stops when the context ends, and leaves no files.
func TestCancel(t *testing.T) {
	dir := t.TempDir()
	tone := generate(t, filepath.Join(dir, "tone.wav"), sine(500, 0.5), Rate, 60)
	changed := errors.New("changed my mind")
	for _, after := range []time.Duration{0, 50 * time.Millisecond, 300 * time.Millisecond, 600 * time.Millisecond} {
		ctx, cancel := context.WithCancelCause(t.Context())
		timer := time.AfterFunc(after, func() { cancel(changed) })
		o := options(job.Track{Source: tone, Volume: 1, Loop: true})
		o.FrameCount, o.Codec, o.Loudness = 30*3600, "aac", -14
		out := filepath.Join(dir, "out.m4a")
		if err := Mix(ctx, o, out); !errors.Is(err, changed) {
			t.Errorf("cancelled after %s: Mix() = %v, want %v", after, err, changed)
		}
		timer.Stop()
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("cancelled after %s: Mix() leaves %v", after, entries)
		}
	}
}
