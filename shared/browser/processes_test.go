package browser

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// proc is a running process in /proc.
type proc struct {
	pid, parent, group int
	command            string
}

// processes returns the running processes for which belongs returns true. It does not return zombies.
func processes(t *testing.T, belongs func(all map[int]proc, p proc) bool) (list []proc) {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("reading /proc: %v", err)
	}
	all := map[int]proc{}
	for _, dir := range dirs {
		stat, err := os.ReadFile(dir + "/stat")
		if err != nil {
			continue // it exited
		}
		// pid (name) state parent group …
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if fields[0] == "Z" {
			continue
		}
		var p proc
		p.pid, _ = strconv.Atoi(filepath.Base(dir))
		p.parent, _ = strconv.Atoi(fields[1])
		p.group, _ = strconv.Atoi(fields[2])
		command, _ := os.ReadFile(dir + "/cmdline")
		p.command = string(bytes.ReplaceAll(command, []byte{0}, []byte{' '}))
		all[p.pid] = p
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

// wantGone fails the test unless the profile is deleted and these processes end: a group, those in before, and all that
// use the profile.
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
