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

// pages returns the processes of a browser that run pages, and so write pictures.
func pages(t *testing.T, b *browser.Browser) (list []int) {
	t.Helper()
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	runs := map[int][]int{} // by process group, which every browser has for itself
	group := 0
	for _, file := range lines {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		line, _ := os.ReadFile(file)
		id, err := syscall.Getpgid(pid)
		switch {
		case err != nil:
		case strings.Contains(string(line), "--type=renderer"):
			runs[id] = append(runs[id], pid)
		case strings.Contains(string(line), b.ProfileDir()):
			group = id
		}
	}
	if len(runs[group]) == 0 {
		t.Error("no process of the browser runs pages")
	}
	return runs[group]
}

// play in stream mode while the page's processes are stopped after frame 3, for a while.
func playStalled(t *testing.T, o Options, count int64, pause time.Duration) (frames []Frame, err error) {
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
			stopped = pages(t, b)
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

// A page's process that is stopped, as it is while a disk does not answer, loses no frame when it continues.
func TestAPauseChangesNothing(t *testing.T) {
	const count = 30
	c := composition(t, canvasPage(circles))
	want, _ := play(t, launch(t, c), c, small, 0, count, job.SeekReplay, "")
	got, err := playStalled(t, small, count, 1500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	checkSame(t, small, want, got)
}

func TestAPauseBeyondTheDeadlineIsTransient(t *testing.T) {
	o := small
	o.Timeout = 2 * time.Second
	_, err := playStalled(t, o, 1000, 5*time.Second)
	if fault.Of(err) != fault.Transient {
		t.Errorf("the error is not transient: %v", err)
	}
}
