package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"helios/shared/procfs"
)

// descendants returns the children of this process, their children, and so on.
func descendants() []procfs.Process {
	all := map[int]procfs.Process{}
	for _, p := range procfs.Processes() {
		all[p.PID] = p
	}
	var list []procfs.Process
	for _, p := range all {
		for parent := p.Parent; parent > 1; parent = all[parent].Parent {
			if parent == os.Getpid() {
				list = append(list, p)
				break
			}
		}
	}
	return list
}

// processTreeCPU returns the CPU time of this process, its running descendants, and the ended ones that their parent
// waited for. It misses orphans.
func processTreeCPU() time.Duration {
	total := rusage(syscall.RUSAGE_SELF) + rusage(syscall.RUSAGE_CHILDREN)
	for _, p := range descendants() {
		total += p.CPU + p.ChildrenCPU
	}
	return total
}

func rusage(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(err) // fails only for an invalid who
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory returns the proportional set size of this process and its descendants: shared memory counts once.
func memory() (bytes int64) {
	for _, p := range append(descendants(), procfs.Process{PID: os.Getpid()}) {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/smaps_rollup")
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
