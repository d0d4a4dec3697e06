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

// proc is a live process as /proc shows it.
type proc struct {
	pid, parent, group int
	command            string
}

// processes returns those that belong to a group or descend from its leader; after a kill, wherever they
// are now, those whose command line names a profile.
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
			continue // it ended meanwhile
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

// family returns the processes that descend from one, and itself.
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

// wantGone waits until processes have ended, and checks that a profile and its group are no more.
func wantGone(t *testing.T, group int, profile string, before []proc) {
	t.Helper()
	known := map[int]string{}
	for _, p := range before {
		known[p.pid] = p.command
	}
	eventually(t, fmt.Sprintf("the end of all of Chromium's %d processes", len(before)), func() bool {
		return len(processes(t, func(_ map[int]proc, p proc) bool {
			return p.group == group || known[p.pid] != "" && known[p.pid] == p.command || strings.Contains(p.command, profile)
		})) == 0
	})
	if _, err := os.Stat(profile); !os.IsNotExist(err) {
		t.Errorf("the profile %s is still there: %v", profile, err)
	}
}
