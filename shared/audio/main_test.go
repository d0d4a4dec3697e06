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

// run runs a program and returns its output. The test fails if it prints to stderr.
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

// generate creates a source from an expression of the time t and the sample number n.
func generate(t *testing.T, file, expression string, rate int, seconds float64, args ...string) string {
	t.Helper()
	input := fmt.Sprintf("aevalsrc=exprs='%s':s=%d:d=%g", expression, rate, seconds)
	before := []string{"-v", "error", "-y", "-f", "lavfi", "-i", input}
	run(t, "ffmpeg", slices.Concat(before, args, []string{"file:" + file})...)
	return file
}

// click creates a WAV file with one loud sample.
func click(t *testing.T, file string, at, seconds float64) string {
	t.Helper()
	return generate(t, file, clickAt(at), Rate, seconds)
}

// clickAt returns the expression for one loud sample, at 48 kHz.
func clickAt(seconds float64) string {
	return fmt.Sprintf("0.9*eq(n,%d)", int(math.Round(seconds*Rate)))
}

// both returns the same expression for two channels.
func both(expression string) string { return expression + "|" + expression }

// sine returns the expression for a tone.
func sine(hertz, amplitude float64) string { return fmt.Sprintf("%g*sin(2*PI*%g*t)", amplitude, hertz) }

// decoded returns the left and the right channel of a file, decoded by ffmpeg.
func decoded(t *testing.T, file string, args ...string) (left, right []float64) {
	t.Helper()
	output := []string{"-i", "file:" + file, "-map", "0:a", "-ac", "2", "-f", "f32le", "-"}
	args = slices.Concat([]string{"-v", "error"}, args, output)
	raw := run(t, "ffmpeg", args...)
	for ; len(raw) >= sampleSize; raw = raw[sampleSize:] {
		left = append(left, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
		right = append(right, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4:]))))
	}
	return left, right
}

// loudest returns the index of the sample with the largest absolute value.
func loudest(samples []float64) int {
	at := 0
	for i, v := range samples {
		if math.Abs(v) > math.Abs(samples[at]) {
			at = i
		}
	}
	return at
}

// rms returns the RMS level of samples in dBFS.
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

// options returns options for three seconds at 30 frames per second, with a lossless codec.
func options(tracks ...job.Track) Options {
	return Options{Tracks: tracks, FPS: fps30, FrameCount: 90, Codec: "pcm_s24le"}
}

// mixed mixes tracks and returns the output.
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
