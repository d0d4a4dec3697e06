package process

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// clockTick is the unit of the times in /proc/PID/stat. USER_HZ is 100 on all current architectures of Linux.
const clockTick = time.Second / 100

// CPUTime returns the processor time that the program and its running children used. It returns 0 on systems without
// /proc.
func (p *Process) CPUTime() (total time.Duration) {
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // the process ended
		}
		// The program's name is in parentheses and can contain spaces and parentheses.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		number := func(i int) int { n, _ := strconv.Atoi(string(fields[i])); return n }
		const group, user, system = 2, 11, 12 // proc_pid_stat(5), counted from the state
		if len(fields) > system && number(group) == p.PID() {
			total += time.Duration(number(user)+number(system)) * clockTick
		}
	}
	return total
}
