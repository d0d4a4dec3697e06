//go:build cloud

package functions

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Sound is mixed beside the partitions, of which there are twelve, and merged with them.
func TestSound(t *testing.T) {
	tone := filepath.Join(t.TempDir(), "tone.wav")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440:duration=1.2", tone).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(tone)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t)
	s.put(t, "sites/c/index.html", strings.Replace(page, "<div>", `<audio src="tone.wav" autoplay></audio><div>`, 1))
	s.put(t, "sites/c/tone.wav", string(data))
	f := finished(t, s.run(t, "sound", `{"input":"s3://helios-test/sites/c/","output":"renders/c.mp4","concurrency":12,"quality":0}`))
	if f.Frames != 12 {
		t.Errorf("finished: %+v", f)
	}
	path := s.download(t, "renders/c.mp4")
	if got := frameMD5(t, path); len(got) != 12 {
		t.Errorf("there are %d frames", len(got))
	}
	out, err := exec.Command("ffmpeg", "-i", path, "-af", "volumedetect", "-f", "null", "-").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "Audio: aac") || !strings.Contains(string(out), "max_volume: -1") {
		t.Errorf("the sound is not there:\n%s", out)
	}
}
