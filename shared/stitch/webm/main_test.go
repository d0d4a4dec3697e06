package webm_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"helios/shared/encode"
	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/stitch/webm"
	"helios/shared/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config returns settings with a key frame every six frames.
func config() job.Config {
	return job.Config{
		Format: job.WebM, Scale: 1, Width: 64, Height: 64, FPS: job.Rate{Num: 30, Den: 1}, GOP: 6,
		VideoCodec: "libvpx-vp9", AudioCodec: "libopus", Quality: new(30), Preset: "5",
	}
}

// run runs ffmpeg or ffprobe and returns its output. Output on stderr fails the test.
func run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, append([]string{"-v", "error"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// testFrames returns frames of ffmpeg's test pattern as PNG, passed through a filter.
func testFrames(t testing.TB, n int, filter string) [][]byte {
	t.Helper()
	return testFramesIn(t, t.TempDir(), n, filter)
}

// testFramesIn is testFrames, but keeps the files in a folder: 00001.png and so on.
func testFramesIn(t testing.TB, dir string, n int, filter string) [][]byte {
	t.Helper()
	run(t, "ffmpeg", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=30", "-frames:v", fmt.Sprint(n), "-vf", filter,
		filepath.Join(dir, "%05d.png"))
	var list [][]byte
	for i := range n {
		b, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%05d.png", i+1)))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, b)
	}
	return list
}

// Filters of testFrames.
const (
	opaque      = "format=rgb24"
	translucent = "format=rgba,colorchannelmixer=aa=0.5"
)

// chunk encodes frames to a file in a folder.
func chunk(t testing.TB, c job.Config, dir, name string, frames [][]byte) stitch.Chunk {
	t.Helper()
	e, err := encode.Start(t.Context(), c, "chunk "+name, filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Abort()
	for _, f := range frames {
		if err := e.WriteFrame(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return stitch.Chunk{Name: name, Frames: int64(len(frames))}
}

// chunks encodes frames to files with the given numbers of frames.
func chunks(t testing.TB, c job.Config, dir string, frames [][]byte, lengths ...int) (list []stitch.Chunk) {
	t.Helper()
	for i, n := range lengths {
		list = append(list, chunk(t, c, dir, fmt.Sprintf("%d-%d.webm", len(lengths), i), frames[:n]))
		frames = frames[n:]
	}
	return list
}

// write joins chunks and checks that Write and Probe return the same properties of the output.
func write(t testing.TB, dir, name string, list []stitch.Chunk, opts webm.Options) webm.Info {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	written, err := webm.Write(t.Context(), f, store.Dir(dir), list, opts)
	if err != nil {
		t.Fatal(err)
	}
	found, err := webm.Probe(t.Context(), store.Dir(dir), name)
	if err != nil {
		t.Fatal(err)
	}
	if written != found {
		t.Errorf("Write returned %+v, Probe %+v", written, found)
	}
	return found
}

// commented returns the options for an output with a comment.
func commented(text string) webm.Options { return webm.Options{Options: stitch.Options{Comment: text}} }

// accept returns the options for an output whose chunks are passed to a function.
func accept(f func(stitch.Chunk, stitch.Info) error) webm.Options {
	return webm.Options{Options: stitch.Options{Accept: f}}
}

// try joins chunks and discards the output.
func try(t testing.TB, dir string, list []stitch.Chunk, opts webm.Options) error {
	t.Helper()
	_, err := webm.Write(t.Context(), io.Discard, store.Dir(dir), list, opts)
	return err
}
