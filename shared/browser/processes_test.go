package browser

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"helios/shared/procfs"
)

// proc is a running process.
type proc struct {
	pid, parent, group int
	command            string
}

// processes returns the processes for which belongs returns true, except zombies.
func processes(t *testing.T, belongs func(all map[int]proc, p proc) bool) (list []proc) {
	t.Helper()
	all := map[int]proc{}
	for _, p := range procfs.Processes() {
		if p.State != "Z" {
			command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
			all[p.PID] = proc{p.PID, p.Parent, p.Group, strings.ReplaceAll(string(command), "\x00", " ")}
		}
	}
	if len(all) == 0 {
		t.Fatal("/proc contains no processes")
	}
	for _, p := range all {
		if belongs(all, p) {
			list = append(list, p)
		}
	}
	return list
}

// family returns a process and its descendants.
func family(t *testing.T, ancestor int) []proc {
	t.Helper()
	return processes(t, func(all map[int]proc, p proc) bool {
		for ; p.pid != 0; p = all[p.parent] {
			if p.pid == ancestor {
				return true
			}
		}
		return false
	})
}

// wantGone fails the test unless the profile is deleted and these processes end: those in the group, those in before,
// and those with the profile in their command line.
func wantGone(t *testing.T, group int, profile string, before []proc) {
	t.Helper()
	known := map[int]string{}
	for _, p := range before {
		known[p.pid] = p.command
	}
	eventually(t, fmt.Sprintf("the end of Chromium's %d processes", len(before)), func() bool {
		return len(processes(t, func(_ map[int]proc, p proc) bool {
			return p.group == group || strings.Contains(p.command, profile) ||
				known[p.pid] != "" && known[p.pid] == p.command
		})) == 0
	})
	if _, err := os.Stat(profile); !os.IsNotExist(err) {
		t.Errorf("the profile %s still exists: %v", profile, err)
	}
}
