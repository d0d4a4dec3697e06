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

// threeChunks is a job whose every frame depends on all before it.
func threeChunks(t *testing.T) plan.Options {
	o := small(composition(t, counting))
	o.Quality, o.FrameCount, o.Concurrency = nil, 24, 3
	return o
}

// kill kills one of the programs that run now, chosen by its name.
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

func TestRetriesHealKilledPrograms(t *testing.T) {
	o := threeChunks(t)
	want := read(t, run(t, jobOf(t, o)))
	for _, victim := range []string{"chrom", "ffmpeg", "a renderer"} {
		t.Run(victim, func(t *testing.T) {
			// Three murders at random moments, the first of them perhaps while the page loads.
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
				t.Error("the output is another one than when nothing was killed")
			}
			if killed == 0 {
				t.Error("there was nothing to kill")
			}
			// A death may also come after the last frame, when there is nothing left to do.
			failed := 0
			for _, event := range e.list {
				// Under heavy load Chromium may lose a frame by itself.
				if event.Type == PartitionFailed && !strings.Contains(event.Message, "though the page is idle") {
					failed++
				}
			}
			if failed > killed {
				t.Errorf("%d deaths made %d partitions fail", killed, failed)
			}
			checkClean(t, j)
		})
	}
}

func TestTheNextRunGoesOnWhereAKilledOneEnded(t *testing.T) {
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
				t.Fatalf("the error is of the kind %s: %v", fault.Of(err), err)
			}
			if text := err.Error(); !strings.HasPrefix(text, "partition 2 (frames 16 to 23): ") || !strings.Contains(text, victim) {
				t.Errorf("the error says %q", text)
			}
			checkClean(t, j)

			var e events
			j.Report = e.add
			if got := read(t, run(t, j)); !bytes.Equal(got, want) {
				t.Error("the output is another one than when nothing was killed")
			}
			if kept := e.partitions(PartitionKept); !slices.Equal(kept, []int{0, 1}) {
				t.Errorf("the partitions %v were kept, want 0 and 1", kept)
			}
			if started := e.partitions(PartitionStarted); !slices.Equal(started, []int{2}) {
				t.Errorf("the partitions %v were rendered, want 2", started)
			}
		})
	}
}
