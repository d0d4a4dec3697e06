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

// patience is how long a call may take that must not hang.
const patience = 20 * time.Second

// within calls do, which must come back.
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

// writeUntilError hands over frames until ffmpeg takes no more.
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

func startOne(t *testing.T, ctx context.Context, out string) *Encoder {
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
		t.Errorf("ffmpeg is still there: %v", err)
	}
}

// An ffmpeg that was killed, by the kernel for want of memory for one, is worth another try.
func TestKilled(t *testing.T) {
	t.Run("while it is fed", func(t *testing.T) {
		e := startOne(t, t.Context(), filepath.Join(t.TempDir(), "out.mp4"))
		if err := e.WriteFrame(frames(t, 1, 64, 36)[0]); err != nil {
			t.Fatal(err)
		}
		e.process.Kill()
		if err := writeUntilError(t, e); fault.Of(err) != fault.Transient || err.Error() != "ffmpeg was killed" {
			t.Errorf("the error is %v, a fault of kind %s", err, fault.Of(err))
		}
		checkDead(t, e)
	})
	t.Run("at the end", func(t *testing.T) {
		e := startOne(t, t.Context(), filepath.Join(t.TempDir(), "out.mp4"))
		e.process.Kill()
		if err := within(t, "Close", e.Close); fault.Of(err) != fault.Transient {
			t.Errorf("the error is %v, a fault of kind %s", err, fault.Of(err))
		}
	})
}

// Whatever ffmpeg was doing, it ends with its context, and a second time does no harm.
func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e := startOne(t, ctx, filepath.Join(t.TempDir(), "out.mp4"))
	cancel()
	if err := writeUntilError(t, e); err == nil {
		t.Error("no error")
	}
	checkDead(t, e)
	if err := within(t, "Close", e.Close); err == nil {
		t.Error("Close knows of no error")
	}
	e.Abort()
}

func TestAbort(t *testing.T) {
	e := startOne(t, t.Context(), filepath.Join(t.TempDir(), "out.mp4"))
	within(t, "Abort", func() error { e.Abort(); return nil })
	checkDead(t, e)
	e.Abort()
}

// When the file cannot be written the error says why, not that a pipe broke.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for out, want := range map[string]string{
		filepath.Join(dir, "gone", "out.mp4"): "writing to " + filepath.Join(dir, "gone") + ": no such file or directory",
		filepath.Join(dir, "file", "out.mp4"): "writing to " + filepath.Join(dir, "file") + ": not a directory",
		dir:                                   "writing to " + filepath.Dir(dir) + ": is a directory",
		"/dev/full":                           "writing to /dev: no space left on device",
	} {
		if err := writeUntilError(t, startOne(t, t.Context(), out)); fault.Of(err) != fault.User || err.Error() != want {
			t.Errorf("writing to %s: %v, a fault of kind %s; want %s", out, err, fault.Of(err), want)
		}
	}
}

// What ffmpeg does not understand is an error in its own words, and no reason to try again.
func TestNoPicture(t *testing.T) {
	whole := frames(t, 1, 64, 36)[0]
	damaged := bytes.Clone(whole)
	for i := 100; i < len(damaged)-100; i++ {
		damaged[i] = 0
	}
	for name, frame := range map[string][]byte{
		"text": []byte("this is no picture"), "cut off": whole[:len(whole)/2], "damaged": damaged,
	} {
		e := startOne(t, t.Context(), filepath.Join(t.TempDir(), "out.mp4"))
		e.WriteFrame(frame)
		err := within(t, "Close", e.Close)
		if err == nil || !strings.HasPrefix(err.Error(), "ffmpeg: ") || strings.Contains(err.Error(), "broken pipe") || fault.Of(err) != fault.Internal {
			t.Errorf("%s: the error is %v, a fault of kind %s", name, err, fault.Of(err))
		}
	}
}

func TestNoFrames(t *testing.T) {
	e := startOne(t, t.Context(), filepath.Join(t.TempDir(), "out.mp4"))
	if err := within(t, "Close", e.Close); err == nil {
		t.Error("a chunk without a frame is no error")
	}
}
