package render

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"helios/shared/fault"
	"helios/shared/plan"
	"helios/shared/procfs"
)

// threeChunks returns options for a job of three partitions, in which each frame depends on all before it.
func threeChunks(t *testing.T) plan.Options {
	o := small(composition(t, counting))
	o.Quality, o.FrameCount, o.Concurrency = nil, 24, 3
	return o
}

// kill kills a program that the job runs, selected by its name.
func kill(t *testing.T, name string) bool {
	for _, c := range children() {
		if strings.Contains(c.name, name) {
			if err := syscall.Kill(c.pid, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
			return true
		}
	}
	return false
}

// renderers returns the renderer processes of Chromium.
func renderers() (pids []int) {
	groups := map[int]bool{}
	for _, c := range children() {
		groups[c.pid] = c.profile != ""
	}
	for _, p := range procfs.Processes() {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
		if groups[p.Group] && bytes.Contains(line, []byte("--type=renderer")) {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

func TestRetriesAfterKilledPrograms(t *testing.T) {
	o := threeChunks(t)
	want := read(t, run(t, jobOf(t, o)))
	for _, victim := range []string{"chrom", "ffmpeg", "a renderer"} {
		t.Run(victim, func(t *testing.T) {
			// Three kills at random events, the first perhaps while the page loads.
			moments := []int{1 + rand.N(3), 6 + rand.N(8), 16 + rand.N(8)}
			t.Logf("killing at the events %v", moments)
			var e events
			killed := 0
			j := jobOf(t, o)
			j.Retries = 3
			j.Report = func(event Event) {
				e.add(event)
				if n := len(e.list); !slices.Contains(moments, n) {
					return
				}
				if victim != "a renderer" {
					if kill(t, victim) {
						killed++
					}
				} else if pids := renderers(); len(pids) > 0 {
					syscall.Kill(pids[rand.N(len(pids))], syscall.SIGKILL)
					killed++
				}
			}
			if got := read(t, run(t, j)); !bytes.Equal(got, want) {
				t.Error("the output differs from the one of an undisturbed job")
			}
			if killed == 0 {
				t.Error("no program was running at these events")
			}
			// A program that is killed after its last frame does not make the partition fail.
			failed := 0
			for _, event := range e.list {
				// Under heavy load, Chromium can lose a frame.
				if event.Type == PartitionFailed && !strings.Contains(event.Message, "though the page is idle") {
					failed++
				}
			}
			if failed > killed {
				t.Errorf("%d attempts failed after %d kills", failed, killed)
			}
			checkClean(t, j)
		})
	}
}

func TestResumeAfterKilledPrograms(t *testing.T) {
	o := threeChunks(t)
	want := read(t, run(t, jobOf(t, o)))
	for _, victim := range []string{"chrom", "ffmpeg"} {
		t.Run(victim, func(t *testing.T) {
			j := jobOf(t, o)
			j.Workers, j.Retries, j.Resume = 1, 0, true
			j.Report = func(event Event) {
				if event.Type == FrameDone && event.Partition == 2 && event.Frames == 3 {
					kill(t, victim)
				}
			}
			err := j.Run(t.Context())
			if fault.Of(err) != fault.Transient {
				t.Fatalf("Run() = %v (%s), want a transient error", err, fault.Of(err))
			}
			text := err.Error()
			if !strings.HasPrefix(text, "partition 2 (frames 16 to 23): ") || !strings.Contains(text, victim) {
				t.Errorf("the error is %q, want the partition and %s", text, victim)
			}
			checkClean(t, j)

			var e events
			j.Report = e.add
			if got := read(t, run(t, j)); !bytes.Equal(got, want) {
				t.Error("the output differs from the one of an undisturbed job")
			}
			if kept := e.partitions(PartitionKept); !slices.Equal(kept, []int{0, 1}) {
				t.Errorf("the job kept the partitions %v, want 0 and 1", kept)
			}
			if started := e.partitions(PartitionStarted); !slices.Equal(started, []int{2}) {
				t.Errorf("the job rendered the partitions %v, want 2", started)
			}
		})
	}
}
