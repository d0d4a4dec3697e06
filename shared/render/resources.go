package render

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// workerMemory is what a worker may need: a Chromium on a heavy page and its ffmpeg, in bytes.
const workerMemory = 2 << 30

// DefaultWorkers returns how many workers this machine's cores and memory carry, at least 1. It is always the
// same on one machine, so that a render that is repeated makes the same partitions.
func DefaultWorkers() int {
	workers := runtime.GOMAXPROCS(0)
	if total, ok := memory("MemTotal:"); ok {
		if limit, ok := readNumber("/sys/fs/cgroup/memory.max"); ok {
			total = min(total, limit)
		}
		workers = min(workers, int(total/workerMemory))
	}
	return max(1, workers)
}

// FreeMemory returns the bytes of memory that are available to new processes, as Linux estimates them
// (MemAvailable, or what the control group has left when that is less).
func FreeMemory() (bytes int64, ok bool) {
	bytes, ok = memory("MemAvailable:")
	limit, okLimit := readNumber("/sys/fs/cgroup/memory.max")
	used, okUsed := readNumber("/sys/fs/cgroup/memory.current")
	if ok && okLimit && okUsed {
		bytes = min(bytes, max(0, limit-used))
	}
	return bytes, ok
}

// memory returns a line of /proc/meminfo, in bytes.
func memory(name string) (bytes int64, ok bool) {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == name {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			return kb << 10, err == nil
		}
	}
	return 0, false
}

func readNumber(path string) (int64, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil
}
