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

// Whatever a sound comes in, its click is heard when it should be.
func TestSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// A click that encoders of any rate keep: half a millisecond of a loud tone.
	wide := "if(between(t,2,2.0005),0.9,0)"
	for _, test := range []struct {
		name     string
		rate     int
		args     []string
		within   int // samples at 48 kHz by which the click may be off, with its width
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
			source := generate(t, filepath.Join(dir, test.name), wide, test.rate, 4, append([]string{"-ac", test.channels}, test.args...)...)
			left, right := decoded(t, mixed(t, options(job.Track{Source: source, Volume: 1})))
			for _, samples := range [][]float64{left, right} {
				loud := clicks(samples)
				if len(loud) == 0 {
					t.Fatal("there is no click")
				}
				first, last := loud[0]-2*Rate, loud[len(loud)-1]-2*Rate
				if first < -test.within || first > test.within || last > 25+test.within {
					t.Errorf("the click is from sample %d to %d, counted from where it should be", first, last)
				}
			}
		})
	}
}

// Of a video the sound is taken, if it has any, at the time at which its pictures have it.
func TestVideoSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one := click(t, filepath.Join(dir, "click.wav"), 1, 2)
	picture := []string{"-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x36:d=2"}
	video := func(name string, args ...string) string {
		run(t, "ffmpeg", append(append(picture, args...), filepath.Join(dir, name))...)
		return filepath.Join(dir, name)
	}
	with := video("with.mov", "-i", one, "-c:a", "pcm_s16le")
	late := video("late.mkv", "-itsoffset", "0.5", "-i", one, "-c:a", "pcm_s16le")
	without := video("without.mp4")
	for source, want := range map[string]string{with: "[48000]", late: "[72000]", without: "[]"} {
		left, _ := decoded(t, mixed(t, options(job.Track{Source: source, Volume: 1})))
		if got := fmt.Sprint(clicks(left)); got != want {
			t.Errorf("%s has clicks at %s, want %s", source, got, want)
		}
	}
}

// A source that cannot be heard is named.
func TestBadSources(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.mp3")
	empty := filepath.Join(dir, "empty.wav")
	// Lists of other files are no sources: they could name any of the machine.
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
		filepath.Join(dir, "gone.mp3"): "cannot be read: no such file or directory",
		dir:                            "cannot be read: it is no file",
		text:                           "cannot be decoded: ffmpeg: ",
		empty:                          "cannot be decoded: ffmpeg: ",
		playlist:                       "cannot be decoded: ffmpeg: ",
		script:                         "cannot be decoded: ffmpeg: ",
	} {
		err := Mix(t.Context(), options(job.Track{Source: source, Volume: 1}), out)
		if fault.Of(err) != fault.User || !strings.HasPrefix(err.Error(), "the sound of "+source+" "+want) {
			t.Errorf("%s: the error is %v, want %s", source, err, want)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*out*")); len(left) > 0 {
			t.Errorf("after the error there is %v", left)
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

// Whatever is being done, it ends with the context, and nothing is left.
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
			t.Errorf("cancelled after %s: %v", after, err)
		}
		timer.Stop()
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("cancelled after %s, there is %v", after, entries)
		}
	}
}
