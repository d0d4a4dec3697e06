package ffmpeg

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"helios/shared/fault"
)

func TestRun(t *testing.T) {
	for _, test := range []struct {
		name, script, want string
		kind               fault.Kind
	}{
		{"success", "exit 0", "", fault.Internal},
		{"output", "echo first >&2; echo file:a.mp3: why >&2; exit 1", "ffmpeg: a.mp3: why", fault.Internal},
		{"no output", "exit 3", "ffmpeg: exit status 3", fault.Internal},
		{"killed", "echo first; kill -9 $$", "ffmpeg was killed", fault.Transient},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := Run(t.Context(), exec.Command("sh", "-c", test.script))
			if test.want == "" {
				if err != nil {
					t.Errorf("the error is %v", err)
				}
			} else if err == nil || err.Error() != test.want || fault.Of(err) != test.kind {
				t.Errorf("the error is %v, of kind %s; want %q, %s", err, fault.Of(err), test.want, test.kind)
			}
		})
	}
	if err := Run(t.Context(), exec.Command("/nowhere/ffmpeg")); err == nil {
		t.Error("running a missing program returned no error")
	}
}

func TestRunReturnsTheCauseOfTheContext(t *testing.T) {
	reason := errors.New("cancelled")
	ctx, cancel := context.WithCancelCause(t.Context())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	cmd := exec.Command("sh", "-c", "echo ready; exec sleep 1000")
	cmd.Stdout = w
	go func() {
		r.Read(make([]byte, 5))
		cancel(reason)
	}()
	if err := Run(ctx, cmd); !errors.Is(err, reason) {
		t.Errorf("the error is %v, want %v", err, reason)
	}
	if err := Run(ctx, exec.Command("true")); !errors.Is(err, reason) {
		t.Errorf("with a cancelled context the error is %v, want %v", err, reason)
	}
}

func TestWriteError(t *testing.T) {
	dir := t.TempDir()
	if err := WriteError(filepath.Join(dir, "file")); err != nil {
		t.Errorf("a file in %s: %v", dir, err)
	}
	for file, want := range map[string]string{
		filepath.Join(dir, "gone", "file"): "writing to " + filepath.Join(dir, "gone") + ": no such file or directory",
		"/dev/full":                        "writing to /dev: no space left on device",
	} {
		if err := WriteError(file); err == nil || err.Error() != want || fault.Of(err) != fault.User {
			t.Errorf("%s: %v, want %s", file, err, want)
		}
	}
}

func TestFindProbe(t *testing.T) {
	path, err := FindProbe()
	if err != nil || filepath.Base(path) != "ffprobe" {
		t.Errorf("FindProbe() = %q, %v", path, err)
	}
}
