//go:build cloud

package functions

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// A GIF needs all frames at once. Only the chunk function has ffmpeg.
func TestAssemble(t *testing.T) {
	s := startStack(t)
	for _, name := range []string{"plan", "merge"} {
		s.withoutPrograms(t, name)
	}
	s.put(t, "sites/a/index.html", page)
	f := finished(t, s.run(t, "gif",
		`{"input":"s3://helios-test/sites/a/index.html","output":"renders/a.gif","concurrency":3}`))
	if f.Output != "s3://helios-test/renders/a.gif" || f.Frames != 12 {
		t.Errorf("finished: %+v", f)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, "local.gif")
	cmd := exec.CommandContext(t.Context(),
		"go", "run", "helios/cmd/helios", "render", dir, "-o", want, "--concurrency", "3")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("helios render: %v\n%s", err, out)
	}
	got := s.download(t, "renders/a.gif")
	if frames := frameMD5(t, got); len(frames) != 12 || !slices.Equal(frames, frameMD5(t, want)) {
		t.Errorf("the %d frames differ from those of helios render", len(frames))
	}
	if a, b := read(t, got), read(t, want); !slices.Equal(a, b) {
		t.Error("the bytes differ from those of helios render")
	}
}

// withoutPrograms deploys a function without other programs in its PATH, as in Lambda.
func (s *stack) withoutPrograms(t *testing.T, name string) {
	t.Helper()
	f := s.lambda.Function(name)
	f.Env = append(slices.Clone(f.Env), "PATH=/nowhere")
	s.lambda.Add(f)
}
