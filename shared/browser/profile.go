package browser

import (
	"fmt"
	"os"
	"syscall"

	"helios/shared/tempfile"
)

// sharedMemory is the in-memory file system of Linux. AWS Lambda does not have it.
const sharedMemory = "/dev/shm"

// newProfile creates the user data folder for one Chromium, in memory if possible.
func newProfile() (*tempfile.Dir, error) {
	parent := os.TempDir()
	if hasSpace(sharedMemory) {
		parent = sharedMemory
	}
	dir, err := tempfile.MkdirTemp(parent)
	if err != nil {
		return nil, fmt.Errorf("creating Chromium's profile: %w", err)
	}
	return dir, nil
}

// minSpace is the free shared memory, in bytes, that Chromium may need for large frames. It crashes if the memory is
// full. Docker provides 64 MB by default.
const minSpace = 256 << 20

// hasSpace reports whether dir is a writable folder with minSpace free bytes.
func hasSpace(dir string) bool {
	var s syscall.Statfs_t
	const writeAndSearch = 0o3
	return syscall.Statfs(dir, &s) == nil && s.Bavail*uint64(s.Bsize) >= minSpace &&
		syscall.Access(dir, writeAndSearch) == nil
}
