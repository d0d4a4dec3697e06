package encode

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"helios/shared/fault"
)

// patience is the time after which a call counts as hanging.
const patience = 20 * time.Second

// within calls do and fails the test if it hangs.
func within(t *testing.T, what string, do func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatalf("%s hangs", what)
		return nil
	}
}

// writeUntilError writes frames until WriteFrame fails.
func writeUntilError(t *testing.T, e *Encoder) error {
	t.Helper()
	frame := frames(t, 1, 320, 180)[0]
	return within(t, "WriteFrame", func() error {
		for {
			if err := e.WriteFrame(frame); err != nil {
				return err
			}
		}
	})
}

func startOne(ctx context.Context, t *testing.T, out string) *Encoder {
	t.Helper()
	e, err := Start(ctx, config(), "", out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Abort)
	return e
}

func checkDead(t *testing.T, e *Encoder) {
	t.Helper()
	if err := syscall.Kill(-e.process.PID(), 0); err != syscall.ESRCH {
		t.Errorf("ffmpeg is still running: %v", err)
	}
}

// A killed ffmpeg is a transient error: the kernel kills processes when memory is short.
func TestKilled(t *testing.T) {
	t.Run("while frames are written", func(t *testing.T) {
		e := startOne(t.Context(), t, filepath.Join(t.TempDir(), "out.mp4"))
		if err := e.WriteFrame(frames(t, 1, 64, 36)[0]); err != nil {
			t.Fatal(err)
		}
		e.process.Kill()
		if err := writeUntilError(t, e); fault.Of(err) != fault.Transient || err.Error() != "ffmpeg was killed" {
			t.Errorf("the error is %v (%s), want a transient one", err, fault.Of(err))
		}
		checkDead(t, e)
	})
	t.Run("before Close", func(t *testing.T) {
		e := startOne(t.Context(), t, filepath.Join(t.TempDir(), "out.mp4"))
		e.process.Kill()
		if err := within(t, "Close", e.Close); fault.Of(err) != fault.Transient {
			t.Errorf("the error is %v (%s), want a transient one", err, fault.Of(err))
		}
	})
}

// ffmpeg is killed when the context ends. Close and Abort can still be called.
func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e := startOne(ctx, t, filepath.Join(t.TempDir(), "out.mp4"))
	cancel()
	if err := writeUntilError(t, e); err == nil {
		t.Error("WriteFrame() after cancel = nil")
	}
	checkDead(t, e)
	if err := within(t, "Close", e.Close); err == nil {
		t.Error("Close() after cancel = nil")
	}
	e.Abort()
}

func TestAbort(t *testing.T) {
	e := startOne(t.Context(), t, filepath.Join(t.TempDir(), "out.mp4"))
	within(t, "Abort", func() error { e.Abort(); return nil })
	checkDead(t, e)
	e.Abort()
}

// If the file cannot be written, the error contains the reason, not that a pipe broke.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	missing, file := filepath.Join(dir, "missing"), filepath.Join(dir, "file")
	for out, want := range map[string]string{
		filepath.Join(missing, "out.mp4"): "writing to " + missing + ": no such file or directory",
		filepath.Join(file, "out.mp4"):    "writing to " + file + ": not a directory",
		dir:                               "writing to " + filepath.Dir(dir) + ": is a directory",
		"/dev/full":                       "writing to /dev: no space left on device",
	} {
		err := writeUntilError(t, startOne(t.Context(), t, out))
		if fault.Of(err) != fault.User || err.Error() != want {
			t.Errorf("writing to %s: %v (%s), want %s", out, err, fault.Of(err), want)
		}
	}
}

// A frame that ffmpeg cannot decode is not a transient error, and the message is that of ffmpeg.
func TestInvalidFrames(t *testing.T) {
	whole := frames(t, 1, 64, 36)[0]
	damaged := bytes.Clone(whole)
	for i := 100; i < len(damaged)-100; i++ {
		damaged[i] = 0
	}
	for name, frame := range map[string][]byte{
		"text": []byte("not a PNG"), "truncated": whole[:len(whole)/2], "damaged": damaged,
	} {
		e := startOne(t.Context(), t, filepath.Join(t.TempDir(), "out.mp4"))
		e.WriteFrame(frame)
		err := within(t, "Close", e.Close)
		if err == nil || !strings.HasPrefix(err.Error(), "ffmpeg: ") || strings.Contains(err.Error(), "broken pipe") ||
			fault.Of(err) != fault.Internal {
			t.Errorf("%s: Close() = %v (%s), want an internal error", name, err, fault.Of(err))
		}
	}
}

func TestNoFrames(t *testing.T) {
	e := startOne(t.Context(), t, filepath.Join(t.TempDir(), "out.mp4"))
	if err := within(t, "Close", e.Close); err == nil {
		t.Error("Close() of a chunk without frames = nil")
	}
}
