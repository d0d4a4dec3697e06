package render

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"helios/shared/procfs"
)

// workerMemory is the memory that a worker may need for Chromium on a heavy page and for ffmpeg, in bytes.
const workerMemory = 2 << 30

// cgroup is the control group of a container, version 2. Outside of containers its files do not exist.
const cgroup = "/sys/fs/cgroup/"

// DefaultWorkers returns the number of workers that fits the cores and the memory of this machine, at least 1. It
// depends on the total memory, not on the free memory, so a repeated render has the same partitions.
func DefaultWorkers() int {
	workers := runtime.GOMAXPROCS(0)
	if m, err := procfs.ReadMemory(); err == nil {
		total := m.Total
		if limit, ok := readNumber(cgroup + "memory.max"); ok {
			total = min(total, limit)
		}
		workers = min(workers, int(total/workerMemory))
	}
	return max(1, workers)
}

// FreeMemory returns the memory that new processes can use, in bytes. It is Linux's estimate, or the remaining memory
// of the control group if that is less. ok is false if /proc/meminfo cannot be read.
func FreeMemory() (bytes int64, ok bool) {
	m, err := procfs.ReadMemory()
	if err != nil {
		return 0, false
	}
	limit, okLimit := readNumber(cgroup + "memory.max")
	used, okUsed := readNumber(cgroup + "memory.current")
	if okLimit && okUsed {
		return min(m.Available, max(0, limit-used)), true
	}
	return m.Available, true
}

func readNumber(path string) (int64, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil
}
