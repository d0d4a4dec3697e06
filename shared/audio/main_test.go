package audio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"helios/shared/ffmpeg"
	"helios/shared/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs a program and returns what it printed. Anything on stderr is a failure.
func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s(if it is missing: %s)", name, strings.Join(args, " "), err, &stderr, ffmpeg.InstallHint)
	}
	return stdout.Bytes()
}

// generate makes a source with ffmpeg's generator of samples: an expression of the time t and the sample n.
func generate(t *testing.T, file, expression string, rate int, seconds float64, args ...string) string {
	t.Helper()
	input := fmt.Sprintf("aevalsrc=exprs='%s':s=%d:d=%g", expression, rate, seconds)
	run(t, "ffmpeg", slices.Concat([]string{"-v", "error", "-y", "-f", "lavfi", "-i", input}, args, []string{"file:" + file})...)
	return file
}

// click makes a wav file of so many seconds with one loud sample.
func click(t *testing.T, file string, at, seconds float64) string {
	t.Helper()
	return generate(t, file, clickAt(at), Rate, seconds)
}

// clickAt is a click of one sample at 48 kHz.
func clickAt(seconds float64) string {
	return fmt.Sprintf("0.9*eq(n,%d)", int(math.Round(seconds*Rate)))
}

// both makes an expression for each of two channels from one.
func both(expression string) string { return expression + "|" + expression }

// sine is a tone of an amplitude.
func sine(hertz, amplitude float64) string { return fmt.Sprintf("%g*sin(2*PI*%g*t)", amplitude, hertz) }

// decoded returns the left channel of a file as ffmpeg plays it, and the right one.
func decoded(t *testing.T, file string, args ...string) (left, right []float64) {
	t.Helper()
	args = slices.Concat([]string{"-v", "error"}, args, []string{"-i", "file:" + file}, []string{"-map", "0:a", "-ac", "2", "-f", "f32le", "-"})
	raw := run(t, "ffmpeg", args...)
	for ; len(raw) >= sampleSize; raw = raw[sampleSize:] {
		left = append(left, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
		right = append(right, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4:]))))
	}
	return left, right
}

// loudest returns the place of the sample with the largest value.
func loudest(samples []float64) int {
	at := 0
	for i, v := range samples {
		if math.Abs(v) > math.Abs(samples[at]) {
			at = i
		}
	}
	return at
}

// rms returns the level of samples in decibels below full scale.
func rms(samples []float64) float64 {
	sum := 0.0
	for _, v := range samples {
		sum += v * v
	}
	return 10 * math.Log10(sum/float64(len(samples)))
}

func seconds(s string) job.Seconds {
	parsed, err := job.ParseSeconds(s)
	if err != nil {
		panic(err)
	}
	return parsed
}

var fps30 = job.Rate{Num: 30, Den: 1}

// options are three seconds at 30 frames a second, without loss.
func options(tracks ...job.Track) Options {
	return Options{Tracks: tracks, FPS: fps30, FrameCount: 90, Codec: "pcm_s24le"}
}

// mixed mixes into a file of a folder that is gone after the test.
func mixed(t *testing.T, o Options) string {
	t.Helper()
	container := o.Container
	if container == "" {
		container = Containers(o.Codec)[0]
	}
	out := filepath.Join(t.TempDir(), "out."+container)
	if err := Mix(t.Context(), o, out); err != nil {
		t.Fatal(err)
	}
	return out
}
