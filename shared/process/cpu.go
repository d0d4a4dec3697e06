package process

import (
	"time"

	"helios/shared/procfs"
)

// CPUTime returns the CPU time that the program and its children have used, without the children that have ended. It
// is 0 on systems without /proc.
func (p *Process) CPUTime() (total time.Duration) {
	for _, member := range procfs.Processes() {
		if member.Group == p.PID() {
			total += member.CPU
		}
	}
	return total
}
