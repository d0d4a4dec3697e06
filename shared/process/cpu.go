package process

import (
	"time"

	"helios/shared/procfs"
)

// CPUTime returns the CPU time that the running processes of the program's group used. It returns 0 on systems without
// /proc.
func (p *Process) CPUTime() (total time.Duration) {
	for _, member := range procfs.Processes() {
		if member.Group == p.PID() {
			total += member.CPU
		}
	}
	return total
}
