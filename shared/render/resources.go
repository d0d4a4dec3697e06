package render

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// workerMemory is what a worker may need: a Chromium on a heavy page and its ffmpeg, in bytes.
const workerMemory = 2 << 30

// DefaultWorkers returns how many workers this machine's cores and free memory carry, at least 1.
func DefaultWorkers() int {
	workers := runtime.GOMAXPROCS(0)
	if free, ok := FreeMemory(); ok {
		workers = min(workers, int(free/workerMemory))
	}
	return max(1, workers)
}

// FreeMemory returns the bytes of memory that are available to new processes, as Linux estimates them
// (MemAvailable, or what the control group has left when that is less).
func FreeMemory() (bytes int64, ok bool) {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemAvailable:" {
			if kb, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				bytes, ok = kb<<10, true
			}
		}
	}
	limit, okLimit := readNumber("/sys/fs/cgroup/memory.max")
	used, okUsed := readNumber("/sys/fs/cgroup/memory.current")
	if ok && okLimit && okUsed {
		bytes = min(bytes, max(0, limit-used))
	}
	return bytes, ok
}

func readNumber(path string) (int64, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil
}
