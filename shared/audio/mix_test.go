package audio

import (
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"helios/shared/job"
)

// clicks returns the indexes of all loud samples.
func clicks(samples []float64) (at []int) {
	for i, v := range samples {
		if math.Abs(v) > 0.3 {
			at = append(at, i)
		}
	}
	return at
}

// All times of a track are exact to the sample. The source is two seconds long, with a click after one.
func TestTimes(t *testing.T) {
	t.Parallel()
	source := click(t, filepath.Join(t.TempDir(), "click.wav"), 1, 2)
	for _, test := range []struct {
		name  string
		track job.Track
		set   func(*Options)
		want  []int
	}{
		{"defaults", job.Track{}, nil, []int{48000}},
		{"offset", job.Track{Offset: seconds("0.5")}, nil, []int{72000}},
		{"offset between samples", job.Track{Offset: seconds("0.00001")}, nil, []int{48000}},
		{"offset of a third", job.Track{Offset: seconds("0.333333333")}, nil, []int{64000}},
		{"offset beyond the end", job.Track{Offset: seconds("4")}, nil, nil},
		{"seek", job.Track{Seek: seconds("0.25")}, nil, []int{36000}},
		{"seek to the click", job.Track{Seek: seconds("1")}, nil, []int{0}},
		{"seek just beyond", job.Track{Seek: seconds("1.00003")}, nil, nil},
		{"seek beyond the end", job.Track{Seek: seconds("5")}, nil, nil},
		{"seek and offset", job.Track{Seek: seconds("0.25"), Offset: seconds("1.5")}, nil, []int{108000}},
		{"duration with the click", job.Track{Duration: seconds("1.00003")}, nil, []int{48000}},
		{"duration without", job.Track{Duration: seconds("1")}, nil, nil},
		{"loop", job.Track{Loop: true, Seek: seconds("1.5")}, nil, []int{72000}},
		{"loop, seek, offset", job.Track{Loop: true, Seek: seconds("0.5"), Offset: seconds("0.125")},
			nil, []int{30000, 126000}},
		{"loop for a while", job.Track{Loop: true, Seek: seconds("0.5"), Duration: seconds("2.5")}, nil, []int{24000}},
		{"start frame", job.Track{}, func(o *Options) { o.StartFrame = 15 }, []int{24000}},
		{"start frame behind the click", job.Track{}, func(o *Options) { o.StartFrame = 31 }, nil},
		{"start frame and offset", job.Track{Offset: seconds("2")}, func(o *Options) { o.StartFrame = 75 }, []int{24000}},
		{"start frame in a loop", job.Track{Loop: true}, func(o *Options) { o.StartFrame = 45 }, []int{72000}},
		{"start frame 7 at 30000/1001", job.Track{},
			func(o *Options) { o.FPS, o.StartFrame = job.Rate{Num: 30000, Den: 1001}, 7 }, []int{48000 - 11211}},
		{"duration and start frame", job.Track{Duration: seconds("1")}, func(o *Options) { o.StartFrame = 15 }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			track := test.track
			track.Source, track.Volume = source, 1
			o := options(track)
			if test.set != nil {
				test.set(&o)
			}
			left, _ := decoded(t, mixed(t, o))
			if got := clicks(left); fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("the clicks are at %v, want %v", got, test.want)
			}
		})
	}
}

// The track is as long as its frames.
func TestLength(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fps    job.Rate
		frames int64
		want   int
	}{
		{fps30, 1, 1600},
		{job.Rate{Num: 30000, Den: 1001}, 1, 1602}, // 1601.6
		{job.Rate{Num: 30000, Den: 1001}, 2, 3203}, // 3203.2
		{job.Rate{Num: 24000, Den: 1001}, 1001, 2004002},
		{job.Rate{Num: 7, Den: 1}, 3, 20571}, // 20571.43
		{job.Rate{Num: 1, Den: 2}, 1, 96000},
		{job.Rate{Num: 1000, Den: 1}, 1, 48},
	} {
		o := options()
		o.FPS, o.FrameCount = test.fps, test.frames
		left, _ := decoded(t, mixed(t, o))
		if len(left) != test.want {
			t.Errorf("%d frames at %s fps have %d samples, want %d", test.frames, test.fps, len(left), test.want)
		}
		if level := rms(left); !math.IsInf(level, -1) {
			t.Errorf("without tracks, the level is %g", level)
		}
	}
}

// Mixing one WAV file does not change its samples: no dither, no limiter, no rounding.
func TestBitExact(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := generate(t, filepath.Join(dir, "noise.wav"), "random(0)*2-1|random(1)*2-1", Rate, 3, "-c:a", "pcm_s24le")
	wantLeft, wantRight := decoded(t, source)
	left, right := decoded(t, mixed(t, options(job.Track{Source: source, Volume: 1})))
	for i := range wantLeft {
		if left[i] != wantLeft[i] || right[i] != wantRight[i] {
			t.Fatalf("sample %d is %g, %g, want %g, %g", i, left[i], right[i], wantLeft[i], wantRight[i])
		}
	}
}

func about(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.3f, want %.3f", what, got, want)
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tone := generate(t, filepath.Join(dir, "tone.wav"), both(sine(1000, 0.5)), Rate, 3)
	mono := generate(t, filepath.Join(dir, "mono.wav"), sine(1000, 0.5), Rate, 3)
	second := func(samples []float64, n int) []float64 { return samples[n*Rate:][:Rate] }
	plain := 20*math.Log10(0.5) - 3.0103
	half := 20 * math.Log10(0.5)

	for name, source := range map[string]string{"stereo": tone, "mono": mono} {
		left, right := decoded(t, mixed(t, options(job.Track{Source: source, Volume: 1})))
		about(t, name+" left", rms(left), plain, 0.01)
		about(t, name+" right", rms(right), plain, 0.01)
	}
	left, _ := decoded(t, mixed(t, options(job.Track{Source: tone, Volume: 0.5})))
	about(t, "half the volume", rms(left), plain+half, 0.01)
	left, _ = decoded(t, mixed(t, options(job.Track{Source: tone})))
	about(t, "no volume", float64(len(clicks(left))), 0, 0)

	// Fades are linear.
	faded := job.Track{Source: tone, Volume: 1, FadeIn: seconds("1"), FadeOut: seconds("1")}
	left, _ = decoded(t, mixed(t, options(faded)))
	third := 10 * math.Log10(1./3) // the mean of t² from 0 to 1
	about(t, "fade in", rms(second(left, 0)), plain+third, 0.05)
	about(t, "between", rms(second(left, 1)), plain, 0.01)
	about(t, "fade out", rms(second(left, 2)), plain+third, 0.05)
	about(t, "middle of fade in", rms(left[Rate/2-480:][:960]), plain+half, 0.05)

	// Fades start at the offset, and end with the source or the duration.
	left, _ = decoded(t, mixed(t, options(job.Track{
		Source: tone, Volume: 1, Offset: seconds("1"), Duration: seconds("1"), FadeOut: seconds("0.5"),
	})))
	about(t, "before the offset", float64(len(clicks(second(left, 0)))), 0, 0)
	about(t, "middle of fade out", rms(left[Rate*7/4-480:][:960]), plain+half, 0.05)
	about(t, "after the duration", float64(len(clicks(second(left, 2)))), 0, 0)
	sought := job.Track{Source: tone, Volume: 1, Seek: seconds("2"), FadeOut: seconds("1")}
	left, _ = decoded(t, mixed(t, options(sought)))
	about(t, "middle of fade out at the source's end", rms(left[Rate/2-480:][:960]), plain+half, 0.05)
	// A part of a composition has the same levels as in the whole.
	o := options(job.Track{Source: tone, Volume: 1, FadeIn: seconds("2")})
	o.StartFrame = 30
	left, _ = decoded(t, mixed(t, o))
	about(t, "fade in that starts before the output", rms(left[:960]), plain+half, 0.1)
}

// The level of a track does not depend on the number of tracks. Samples above full scale are clipped.
func TestManyTracks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tone := generate(t, filepath.Join(dir, "tone.wav"), both(sine(1000, 0.5)), Rate, 3)
	silent := generate(t, filepath.Join(dir, "silent.wav"), "0", Rate, 1)
	o := options(job.Track{Source: tone, Volume: 1})
	for i := range 39 {
		o.Tracks = append(o.Tracks, job.Track{Source: silent, Volume: 1, Offset: seconds(fmt.Sprint(float64(i) / 50))})
	}
	left, _ := decoded(t, mixed(t, o))
	want, _ := decoded(t, tone)
	for i := range want {
		if math.Abs(left[i]-want[i]) > 1e-6 {
			t.Fatalf("with 39 other tracks, sample %d is %g, want %g", i, left[i], want[i])
		}
	}

	// 40 sources play one after the other, each at its time.
	one := read(t, click(t, filepath.Join(dir, "click.wav"), 0, 0.01))
	o = options()
	var places []int
	for i := range 40 {
		source := filepath.Join(dir, fmt.Sprint(i)+".wav")
		if err := os.WriteFile(source, one, 0o666); err != nil {
			t.Fatal(err)
		}
		o.Tracks = append(o.Tracks, job.Track{Source: source, Volume: 1, Offset: seconds(fmt.Sprint(float64(i) / 40))})
		places = append(places, i*1200)
	}
	left, _ = decoded(t, mixed(t, o))
	if got := clicks(left); fmt.Sprint(got) != fmt.Sprint(places) {
		t.Errorf("the clicks are at %v, want %v", got, places)
	}

	loud := options()
	for range 4 {
		loud.Tracks = append(loud.Tracks, job.Track{Source: tone, Volume: 1})
	}
	left, _ = decoded(t, mixed(t, loud))
	for i := range want {
		if clipped := min(max(4*want[i], -1), 1); math.Abs(left[i]-clipped) > 1e-6 {
			t.Fatalf("four times: sample %d is %g, want %g", i, left[i], clipped)
		}
	}
}

// pitch returns the frequency of a tone, from its zero crossings.
func pitch(samples []float64) float64 {
	n := 0
	for i := 1; i < len(samples); i++ {
		if samples[i-1] < 0 && samples[i] >= 0 {
			n++
		}
	}
	return float64(n) * Rate / float64(len(samples))
}

// The rate changes the length of a source, but not its pitch.
func TestRate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tone := generate(t, filepath.Join(dir, "tone.wav"), sine(1000, 0.5), Rate, 4)
	for _, rate := range []float64{0.0625, 0.3, 0.5, 0.9, 1, 1.5, 2, 3, 4, 16} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			t.Parallel()
			o := options(job.Track{Source: tone, Volume: 1, Rate: rate})
			lasts := 4 / rate
			o.FrameCount = int64(math.Ceil(lasts*30)) + 30
			left, _ := decoded(t, mixed(t, o))
			loud := clicks(left)
			about(t, "the end", float64(loud[len(loud)-1])/Rate, lasts, max(0.06, lasts/150))
			about(t, "the pitch", pitch(left[loud[0]:loud[len(loud)-1]]), 1000, 40)
		})
	}
	// The second of two notes starts at the right time, also after a seek.
	notes := generate(t, filepath.Join(dir, "notes.wav"), "if(lt(t,2),0.5*sin(2*PI*500*t),0.5*sin(2*PI*2000*t))", Rate, 4)
	track := job.Track{Source: notes, Volume: 1, Rate: 2, Seek: seconds("1")}
	left, _ := decoded(t, mixed(t, options(track)))
	about(t, "the first note", pitch(left[:Rate*9/20]), 500, 20)
	about(t, "the second note", pitch(left[Rate*11/20:Rate]), 2000, 50)
	track.Loop = true
	left, _ = decoded(t, mixed(t, options(track)))
	about(t, "the loop's first note", pitch(left[Rate*31/20:Rate*49/20]), 500, 20)
	about(t, "the loop's second note", pitch(left[Rate*51/20:Rate*29/10]), 2000, 50)
}

func TestRound(t *testing.T) {
	for _, test := range []struct{ num, den, want int64 }{
		{1, 2, 1}, {-1, 2, 0}, {3, 2, 2}, {4, 3, 1}, {-4, 3, -1}, {5, 3, 2},
	} {
		if got := round(big.NewRat(test.num, test.den)); got != test.want {
			t.Errorf("round(%d/%d) = %d, want %d", test.num, test.den, got, test.want)
		}
	}
}
