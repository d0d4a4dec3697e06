package browser

import (
	"fmt"
	"os"
	"syscall"

	"helios/shared/tempfile"
)

// sharedMemory is a file system in memory, where there is one; AWS Lambda has none.
const sharedMemory = "/dev/shm"

// profileHome is where profiles are made: in memory if possible.
func profileHome() string {
	if roomy(sharedMemory) {
		return sharedMemory
	}
	return os.TempDir()
}

// room is what Chromium may need of shared memory for large frames. Docker gives a container 64 MB unless it
// is told otherwise, and Chromium crashes when that is full.
const room = 256 << 20

// roomy reports whether there is a folder with room for a Chromium, in which we may write.
func roomy(dir string) bool {
	var s syscall.Statfs_t
	return syscall.Statfs(dir, &s) == nil && s.Bavail*uint64(s.Bsize) >= room && syscall.Access(dir, 0o3) == nil
}

// newProfile creates an empty profile, after removing the ones that killed processes left behind.
func newProfile() (*tempfile.Dir, error) {
	dir, err := tempfile.MkdirTemp(profileHome())
	if err != nil {
		return nil, fmt.Errorf("creating a folder for Chromium's profile: %w", err)
	}
	return dir, nil
}
