package capture

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

// renderers returns the processes of a browser that run pages. They also write the stream.
func renderers(t *testing.T, b *browser.Browser) []int {
	t.Helper()
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	byGroup := map[int][]int{} // each browser has a process group
	group := 0
	for _, file := range lines {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		line, _ := os.ReadFile(file)
		id, err := syscall.Getpgid(pid)
		switch {
		case err != nil:
		case strings.Contains(string(line), "--type=renderer"):
			byGroup[id] = append(byGroup[id], pid)
		case strings.Contains(string(line), b.ProfileDir()):
			group = id
		}
	}
	if len(byGroup[group]) == 0 {
		t.Error("the browser has no renderer process")
	}
	return byGroup[group]
}

// playStopped plays a page in stream mode. After frame 3 it stops the renderer processes for a while.
func playStopped(t *testing.T, o Options, count int64, pause time.Duration) (frames []Frame, err error) {
	t.Helper()
	c := composition(t, canvasPage(circles))
	b := launchNew(t, c)
	p := open(t, b, c, streamed(o))
	var stopped []int
	resume := func() {
		for _, pid := range stopped {
			syscall.Kill(pid, syscall.SIGCONT)
		}
	}
	var pausing sync.WaitGroup
	err = p.Play(t.Context(), 0, count, job.SeekReplay, func(f Frame) error {
		frames = append(frames, Frame{Index: f.Index, Pixels: bytes.Clone(f.Pixels), Repeated: f.Repeated})
		if f.Index == 3 {
			stopped = renderers(t, b)
			for _, pid := range stopped {
				syscall.Kill(pid, syscall.SIGSTOP)
			}
			pausing.Go(func() { time.Sleep(pause); resume() })
		}
		return nil
	})
	resume()
	pausing.Wait()
	return frames, err
}

// A renderer that stops, as it does while a disk does not respond, loses no frame.
func TestStoppedRendererLosesNoFrame(t *testing.T) {
	t.Parallel()
	const count = 12
	c := composition(t, canvasPage(circles))
	want, _ := play(t, launch(t, c), c, small, 0, count, job.SeekReplay, "")
	got, err := playStopped(t, small, count, 1500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	checkSame(t, small, want, got)
}

func TestStoppedRendererIsTransientError(t *testing.T) {
	t.Parallel()
	o := small
	o.Timeout = 2 * time.Second
	_, err := playStopped(t, o, 1000, 5*time.Second)
	if fault.Of(err) != fault.Transient {
		t.Errorf("the error is not transient: %v", err)
	}
}
