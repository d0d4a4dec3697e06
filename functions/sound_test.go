//go:build cloud

package functions

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The sound of a page is mixed in parallel with twelve partitions, and merged with them.
func TestSound(t *testing.T) {
	tone := filepath.Join(t.TempDir(), "tone.wav")
	sine := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440:duration=1.2", tone)
	if out, err := sine.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(tone)
	if err != nil {
		t.Fatal(err)
	}
	s := startStack(t)
	html := strings.Replace(page, "<div>", `<audio src="tone.wav" autoplay></audio><div>`, 1)
	s.put(t, "sites/c/index.html", html)
	s.put(t, "sites/c/tone.wav", string(data))
	const request = `{"input":"s3://helios-test/sites/c/","output":"renders/c.mp4","concurrency":12,"revision":"1"}`
	f := finished(t, s.run(t, "sound", request))
	if f.Frames != 12 {
		t.Errorf("finished: %+v", f)
	}
	path := s.download(t, "renders/c.mp4")
	want := frameMD5(t, renderLocally(t, "12", html, "tone.wav", string(data)))
	if got := frameMD5(t, path); len(got) != 12 || !slices.Equal(want, got) {
		t.Errorf("the frames are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	finished(t, s.run(t, "again", request))
	if !bytes.Equal(read(t, path), read(t, s.download(t, "renders/c.mp4"))) {
		t.Error("the second execution wrote other bytes")
	}
	out, err := exec.Command("ffmpeg", "-i", path, "-af", "volumedetect", "-f", "null", "-").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "Audio: aac") || !strings.Contains(string(out), "max_volume: -1") {
		t.Errorf("the output has no sound, or a wrong one:\n%s", out)
	}
}
