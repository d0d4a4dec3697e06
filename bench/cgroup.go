package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cgroup contains this process and its descendants. Its CPU counter includes processes that have ended and orphans,
// which /proc does not show.
type cgroup struct {
	dir, parent  string
	file, format string // the file with the CPU time, and its format
	unit         time.Duration
}

// enterCgroup moves this process into a new cgroup. It returns nil if the machine does not allow that.
func enterCgroup() *cgroup {
	for _, h := range []struct {
		mount, controller, file, format string
		unit                            time.Duration
	}{
		{"/sys/fs/cgroup/cpuacct", "cpuacct", "cpuacct.usage", "%d", time.Nanosecond},
		// Controllers of version 2 have no name in /proc/self/cgroup.
		{"/sys/fs/cgroup", "", "cpu.stat", "usage_usec %d", time.Microsecond},
		{"/sys/fs/cgroup/unified", "", "cpu.stat", "usage_usec %d", time.Microsecond},
	} {
		parent := filepath.Join(h.mount, currentCgroup(h.controller))
		g := &cgroup{
			dir:    filepath.Join(parent, fmt.Sprintf("helios-bench-%d", os.Getpid())),
			parent: parent, file: h.file, format: h.format, unit: h.unit,
		}
		if g.enter() == nil {
			return g
		}
	}
	return nil
}

// currentCgroup returns the path of this process's cgroup in the hierarchy of a controller.
func currentCgroup(controller string) string {
	data, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) == 3 && slices.Contains(strings.Split(f[1], ","), controller) {
			return f[2]
		}
	}
	return ""
}

func (g *cgroup) enter() error {
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return err
	}
	_, err := g.read()
	if err == nil {
		err = move(strconv.Itoa(os.Getpid()), g.dir)
	}
	if err != nil {
		return errors.Join(err, g.leave())
	}
	return nil
}

func move(pid, dir string) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(pid), 0)
}

// leave moves all processes to the parent and removes the cgroup. Orphans may still run.
func (g *cgroup) leave() error {
	pids, err := os.ReadFile(filepath.Join(g.dir, "cgroup.procs"))
	for pid := range strings.FieldsSeq(string(pids)) {
		_ = move(pid, g.parent) // fails if the process has ended
	}
	return errors.Join(err, os.Remove(g.dir))
}

func (g *cgroup) read() (time.Duration, error) {
	data, err := os.ReadFile(filepath.Join(g.dir, g.file))
	if err != nil {
		return 0, err
	}
	var n int64
	_, err = fmt.Sscanf(string(data), g.format, &n)
	return time.Duration(n) * g.unit, err
}

// cpuTime returns the CPU time of all processes that were in the cgroup.
func (g *cgroup) cpuTime() time.Duration {
	d, err := g.read()
	if err != nil {
		panic(err) // enter has read the same file
	}
	return d
}
