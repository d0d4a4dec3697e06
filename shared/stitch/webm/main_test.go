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

// config is what the tests encode, unless they say otherwise: a key frame every six.
func config() job.Config {
	return job.Config{
		Format: job.WebM, Scale: 1, Width: 64, Height: 64, FPS: job.Rate{Num: 30, Den: 1}, GOP: 6,
		VideoCodec: "libvpx-vp9", AudioCodec: "libopus", Quality: new(30), Preset: "5",
	}
}

// tool runs ffmpeg or ffprobe and returns what it prints.
func tool(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, append([]string{"-v", "error"}, args...)...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil || problems.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, problems.String())
	}
	return out
}

// pictures returns frames that move, made by a filter.
func pictures(t testing.TB, n int, filter string) [][]byte {
	t.Helper()
	return picturesIn(t, t.TempDir(), n, filter)
}

// picturesIn leaves the frames in a folder, as 00001.png and so on.
func picturesIn(t testing.TB, dir string, n int, filter string) [][]byte {
	t.Helper()
	tool(t, "ffmpeg", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=30", "-frames:v", fmt.Sprint(n), "-vf", filter, filepath.Join(dir, "%05d.png"))
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

const (
	opaque = "format=rgb24"
	half   = "format=rgba,colorchannelmixer=aa=0.5"
)

// chunk encodes frames to a file of the folder.
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

// chunks encodes frames to files of so many frames each.
func chunks(t testing.TB, c job.Config, dir string, frames [][]byte, lengths ...int) (list []stitch.Chunk) {
	t.Helper()
	for i, n := range lengths {
		list = append(list, chunk(t, c, dir, fmt.Sprintf("%d-%d.webm", len(lengths), i), frames[:n]))
		frames = frames[n:]
	}
	return list
}

// write joins chunks and checks that it tells what it wrote.
func write(t testing.TB, dir, name string, list []stitch.Chunk, opts webm.Options) webm.Info {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	told, err := webm.Write(t.Context(), f, store.Dir(dir), list, opts)
	if err != nil {
		t.Fatal(err)
	}
	found, err := webm.Probe(t.Context(), store.Dir(dir), name)
	if err != nil {
		t.Fatal(err)
	}
	if told != found {
		t.Errorf("Write told of %+v, Probe of %+v", told, found)
	}
	return found
}

// commented returns the options for an output with a comment.
func commented(text string) webm.Options { return webm.Options{Options: stitch.Options{Comment: text}} }

// accept returns the options for an output whose chunks are passed to a function.
func accept(f func(stitch.Chunk, stitch.Info) error) webm.Options {
	return webm.Options{Options: stitch.Options{Accept: f}}
}

// try joins chunks to nowhere.
func try(t testing.TB, dir string, list []stitch.Chunk, opts webm.Options) error {
	t.Helper()
	_, err := webm.Write(t.Context(), io.Discard, store.Dir(dir), list, opts)
	return err
}
