package audio

import (
	"math"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"helios/shared/job"
)

var (
	integrated = regexp.MustCompile(`(?m)^\s+I:\s+(\S+) LUFS`)
	truePeaks  = regexp.MustCompile(`(?m)^\s+Peak:\s+(\S+) dBFS`)
)

// measured returns the loudness of a file in LUFS and its true peak in dBTP.
func measured(t *testing.T, file string) (loudness, peak float64) {
	t.Helper()
	cmd := exec.Command("ffmpeg", "-hide_banner", "-nostats", "-i", file, "-af", "ebur128=peak=true", "-f", "null", "-")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	number := func(pattern *regexp.Regexp) float64 {
		all := pattern.FindAllSubmatch(out, -1)
		if len(all) == 0 {
			t.Fatalf("no %s in %s", pattern, out)
		}
		v, err := strconv.ParseFloat(string(all[len(all)-1][1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	return number(integrated), number(truePeaks)
}

func TestLoudness(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	quiet := generate(t, filepath.Join(dir, "quiet.wav"), both(sine(500, 0.01)), Rate, 5)
	// The peaks are far above the mean, so this becomes loud only with a limiter.
	peaks := generate(t, filepath.Join(dir, "peaks.wav"),
		both("0.02*(random(0)*2-1)+0.9*lt(mod(t,0.5),0.004)*sin(2*PI*9000*t)"), Rate, 5)
	// Lossy encoders change this little: a chord with a slow envelope.
	music := generate(t, filepath.Join(dir, "music.wav"), both("(0.02+0.9*pow(sin(PI*t/2.5),8))*"+
		"(sin(2*PI*220*t)+sin(2*PI*277*t)+sin(2*PI*330*t)+sin(2*PI*2217*t))/4"), Rate, 5)
	loud := generate(t, filepath.Join(dir, "loud.wav"), both(sine(500, 0.9)), Rate, 5)
	for _, test := range []struct {
		name, source, codec string
		target              float64
	}{
		{"quiet", quiet, "pcm_s24le", -14},
		{"quiet as AAC", quiet, "aac", -14},
		{"peaks", peaks, "pcm_s24le", -14},
		{"music as AAC", music, "aac", -9},
		{"music as MP3", music, "libmp3lame", -14},
		{"music as Opus", music, "libopus", -12},
		{"loud", loud, "pcm_s24le", -23},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := options(job.Track{Source: test.source, Volume: 1})
			o.FrameCount, o.Codec, o.Loudness = 150, test.codec, test.target
			out := mixed(t, o)
			loudness, peak := measured(t, out)
			t.Logf("%s: %g LUFS, %g dBTP", test.name, loudness, peak)
			about(t, "the loudness", loudness, test.target, 0.5)
			if peak > -1 {
				t.Errorf("the true peak is %g dBTP, want at most -1", peak)
			}
			left, _ := decoded(t, out)
			checkLength(t, out, left, 5*Rate)
		})
	}
}

// The level of silence, and of sound that is too short to be measured, does not change.
func TestLoudnessOfSilence(t *testing.T) {
	t.Parallel()
	short := click(t, filepath.Join(t.TempDir(), "click.wav"), 0.1, 0.2)
	o := options(job.Track{Source: short, Volume: 0.5})
	o.FrameCount, o.Loudness = 6, -14
	left, _ := decoded(t, mixed(t, o))
	about(t, "the click", left[4800], 0.45, 1e-4)
	o = options()
	o.Loudness = -14
	left, _ = decoded(t, mixed(t, o))
	if level := rms(left); !math.IsInf(level, -1) {
		t.Errorf("the level of silence is %g dB", level)
	}
}

// The limiter also lowers peaks between samples. It does not change samples far from a peak.
func TestLimit(t *testing.T) {
	const n = 20000
	values := make([]float32, 2*(n+2*limitMargin))
	for i := range values {
		// A tone at a quarter of the sample rate: its peaks are between the samples.
		at := i/2 - limitMargin
		v := 0.1 * math.Sin(math.Pi/2*float64(at)+math.Pi/4)
		if at > 10000 && at < 10400 {
			v *= 12
		}
		values[i] = float32(v)
	}
	before := append([]float32{}, values[2*limitMargin:][:2*n]...)
	got := limit(values, 0.8)
	if len(got) != 2*n {
		t.Fatalf("limit() returns %d values, want %d", len(got), 2*n)
	}
	for i := range got {
		at := i / 2
		near := at >= 10000-2*limitReach-peakReach && at <= 10400+2*limitReach+peakReach
		if !near && got[i] != before[i] {
			t.Fatalf("sample %d, far from the peak, is %g, want %g", at, got[i], before[i])
		}
		// The peaks between the samples are higher by a factor of the square root of 2.
		if math.Abs(float64(got[i])) > 0.8/math.Sqrt2*1.01 {
			t.Fatalf("sample %d is %g, want at most %g", at, got[i], 0.8/math.Sqrt2)
		}
	}
}
