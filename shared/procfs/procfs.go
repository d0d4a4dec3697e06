// Package procfs reads the processes and the memory of the machine from /proc; see proc(5).
//
// On systems without /proc, [Processes] returns none, and [ReadMemory] fails.
package procfs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU times in /proc: 1/USER_HZ, which is 1/100 s on every architecture that Go supports.
const clockTick = time.Second / 100

// Process contains fields of /proc/PID/stat.
type Process struct {
	PID, Parent, Group int
	// Name is the name of the program, truncated to 15 bytes.
	Name string
	// State is R for a running process, S for a sleeping one, Z for a zombie.
	State string
	// CPU is the user and system time of the process itself. ChildrenCPU is that of its children that have ended and
	// that it has waited for.
	CPU, ChildrenCPU time.Duration
}

// Processes returns all processes that exist.
func Processes() []Process {
	var list []Process
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // the process has ended
		}
		if p, ok := parseStat(stat); ok {
			list = append(list, p)
		}
	}
	return list
}

// parseStat parses /proc/PID/stat: "PID (name) state parent group …".
func parseStat(stat []byte) (p Process, ok bool) {
	// The name may contain spaces and parentheses.
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || end < open {
		return p, false
	}
	const state, parent, group, user, system, childrenUser, childrenSystem = 0, 1, 2, 11, 12, 13, 14
	fields := strings.Fields(string(stat[end+1:]))
	if len(fields) <= childrenSystem {
		return p, false
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	ticks := func(i int) time.Duration { return time.Duration(number(fields[i])) * clockTick }
	return Process{
		PID: number(strings.TrimSpace(string(stat[:open]))), Parent: number(fields[parent]), Group: number(fields[group]),
		Name: string(stat[open+1 : end]), State: fields[state],
		CPU: ticks(user) + ticks(system), ChildrenCPU: ticks(childrenUser) + ticks(childrenSystem),
	}, true
}

// Memory describes the memory of the machine, in bytes.
type Memory struct {
	Total int64
	// Available is Linux's estimate of the memory that new processes can use without swapping.
	Available int64
}

// ReadMemory reads /proc/meminfo.
func ReadMemory() (Memory, error) {
	meminfo, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return Memory{}, err
	}
	var m Memory
	for line := range strings.Lines(string(meminfo)) {
		fields := strings.Fields(line) // such as "MemTotal:  8000000 kB"
		if len(fields) != 3 {
			continue
		}
		kib, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "MemTotal:":
			m.Total = kib << 10
		case "MemAvailable:":
			m.Available = kib << 10
		}
	}
	if m.Total == 0 || m.Available == 0 {
		return Memory{}, fmt.Errorf("/proc/meminfo has no MemTotal or MemAvailable")
	}
	return m, nil
}
