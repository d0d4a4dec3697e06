package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of the times in /proc: USER_HZ is 100 on all machines that Linux runs on today.
const clockTick = time.Second / 100

// process is one process in /proc.
type process struct {
	pid, parent int
	cpu         time.Duration // its own, and that of the children that it has waited for
}

func processes() map[int]process {
	list := map[int]process{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The name, in parentheses, may hold anything.
		name, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
		fields := strings.Fields(string(data[end+1:]))
		number := func(i int) int { n, _ := strconv.Atoi(fields[i]); return n }
		pid, _ := strconv.Atoi(strings.TrimSpace(string(data[:name])))
		list[pid] = process{pid, number(1), time.Duration(number(11)+number(12)+number(13)+number(14)) * clockTick}
	}
	return list
}

// descendants returns the processes that this one started, directly or not.
func descendants() []process {
	all := processes()
	var list []process
	for _, p := range all {
		for parent := p.parent; parent > 1; parent = all[parent].parent {
			if parent == os.Getpid() {
				list = append(list, p)
				break
			}
		}
	}
	return list
}

// walkedCPU is the CPU time of this process, its living descendants, and those that a parent has waited for. It misses
// orphans.
func walkedCPU() time.Duration {
	total := rusage(syscall.RUSAGE_SELF) + rusage(syscall.RUSAGE_CHILDREN)
	for _, p := range descendants() {
		total += p.cpu
	}
	return total
}

func rusage(who int) time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory is what this process and its descendants hold together; what they share counts once.
func memory() (bytes int64) {
	for _, p := range append(descendants(), process{pid: os.Getpid()}) {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/smaps_rollup")
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "Pss:" {
				kb, _ := strconv.ParseInt(f[1], 10, 64)
				bytes += kb << 10
			}
		}
	}
	return bytes
}
