package process

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// clockTick is the unit of the times in /proc: USER_HZ is 100 on all machines that Linux runs on today.
const clockTick = time.Second / 100

// CPUTime returns the processor time of the program and its children so far, without those that have ended. It is 0 on systems
// that have no /proc.
func (p *Process) CPUTime() (total time.Duration) {
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The name of the program, in parentheses, may contain anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		number := func(i int) int { n, _ := strconv.Atoi(string(fields[i])); return n }
		const group, user, system = 2, 11, 12
		if len(fields) > system && number(group) == p.PID() {
			total += time.Duration(number(user)+number(system)) * clockTick
		}
	}
	return total
}
