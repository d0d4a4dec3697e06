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

// group is a cgroup for this process and its descendants. Unlike a walk through /proc, its counter includes processes
// that have ended, and orphans.
type group struct {
	dir, parent  string
	file, format string // where the CPU time is, and what precedes it
	unit         time.Duration
}

// joinGroup moves this process into a new cgroup. It returns nil if the machine does not allow that.
func joinGroup() *group {
	for _, h := range []struct {
		mount, controller, file, format string
		unit                            time.Duration
	}{
		{"/sys/fs/cgroup/cpuacct", "cpuacct", "cpuacct.usage", "%d", time.Nanosecond},
		{"/sys/fs/cgroup", "", "cpu.stat", "usage_usec %d", time.Microsecond}, // version 2 has no name in /proc/self/cgroup
		{"/sys/fs/cgroup/unified", "", "cpu.stat", "usage_usec %d", time.Microsecond},
	} {
		parent := filepath.Join(h.mount, currentGroup(h.controller))
		g := &group{filepath.Join(parent, fmt.Sprintf("helios-bench-%d", os.Getpid())), parent, h.file, h.format, h.unit}
		if g.join() == nil {
			return g
		}
	}
	return nil
}

// currentGroup returns the path of this process's cgroup in the hierarchy of a controller.
func currentGroup(controller string) string {
	data, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(data)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) == 3 && slices.Contains(strings.Split(f[1], ","), controller) {
			return f[2]
		}
	}
	return ""
}

func (g *group) join() error {
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

// leave moves all processes back to the parent, also orphans that have not ended yet, and removes the group.
func (g *group) leave() error {
	pids, err := os.ReadFile(filepath.Join(g.dir, "cgroup.procs"))
	for pid := range strings.FieldsSeq(string(pids)) {
		move(pid, g.parent) // it may have ended
	}
	return errors.Join(err, os.Remove(g.dir))
}

func (g *group) read() (time.Duration, error) {
	data, err := os.ReadFile(filepath.Join(g.dir, g.file))
	if err != nil {
		return 0, err
	}
	var n int64
	_, err = fmt.Sscanf(string(data), g.format, &n)
	return time.Duration(n) * g.unit, err
}

// cpuTime is the CPU time that the group has used.
func (g *group) cpuTime() time.Duration {
	d, err := g.read()
	if err != nil {
		panic(err) // a counter that was there stays as long as the group
	}
	return d
}
