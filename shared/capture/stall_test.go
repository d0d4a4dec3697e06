package capture

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"helios/shared/browser"
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
		case strings.Contains(string(line), b.Profile()):
			group = id
		}
	}
	if len(runs[group]) == 0 {
		t.Error("no process of the browser runs pages")
	}
	return runs[group]
}

// A page's process that stands still, as it does while a disk does not answer, loses no frame when it goes on.
func TestAStallLosesNoFrame(t *testing.T) {
	for _, way := range []job.Capture{job.CaptureCanvas, job.CaptureElements} {
		t.Run(string(way), func(t *testing.T) {
			c := composition(t, canvasPage(circles))
			const count = 12
			want, _ := play(t, launch(t, c), c, small, 0, count, job.StartStep, "")
			b := launch(t, c)
			p := open(t, b, c, withWay(small, way))
			var got []Frame
			goesOn := make(chan struct{})
			err := p.Play(t.Context(), 0, count, job.StartStep, func(f Frame) error {
				got = append(got, Frame{Index: f.Index, Pixels: append([]byte(nil), f.Pixels...), Repeated: f.Repeated})
				if f.Index != 3 {
					return nil
				}
				stalled := pages(t, b)
				for _, pid := range stalled {
					syscall.Kill(pid, syscall.SIGSTOP)
				}
				time.AfterFunc(500*time.Millisecond, func() {
					defer close(goesOn)
					for _, pid := range stalled {
						syscall.Kill(pid, syscall.SIGCONT)
					}
				})
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			<-goesOn
			checkSame(t, small, want, got)
		})
	}
}

func TestAStallThatDoesNotEndIsAnError(t *testing.T) {
	c := composition(t, canvasPage(circles))
	b := launch(t, c)
	o := withWay(small, job.CaptureCanvas)
	o.Timeout = 3 * time.Second
	p := open(t, b, c, o)
	var stalled []int
	err := p.Play(t.Context(), 0, 1000, job.StartStep, func(f Frame) error {
		if f.Index == 3 {
			stalled = pages(t, b)
			for _, pid := range stalled {
				syscall.Kill(pid, syscall.SIGSTOP)
			}
		}
		return nil
	})
	for _, pid := range stalled {
		syscall.Kill(pid, syscall.SIGCONT)
	}
	if err == nil || !strings.Contains(err.Error(), "was not done after 3s") && !strings.Contains(err.Error(), "was not there after 3s") {
		t.Errorf("the error is %v", err)
	}
}
