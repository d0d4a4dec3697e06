package browser

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"helios/shared/flock"
)

// sharedMemory is a file system in memory, where there is one; AWS Lambda has none.
const sharedMemory = "/dev/shm"

const profilePrefix = "helios-profile-"

// profile is the folder that one Chromium process keeps its state in. Its lock file tells a profile that
// is in use from one whose owner was killed.
type profile struct {
	dir  string
	lock *os.File
}

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

// newProfile makes an empty profile, after removing those that killed processes left behind.
func newProfile() (*profile, error) {
	home := profileHome()
	sweepProfiles(home)
	for {
		dir, err := os.MkdirTemp(home, profilePrefix)
		if err != nil {
			return nil, fmt.Errorf("making a folder for Chromium's profile: %w", err)
		}
		lock, err := flock.TryLock(lockPath(dir), 0o600)
		if err == nil {
			return &profile{dir: dir, lock: lock}, nil
		}
		os.RemoveAll(dir)
		// Somebody else's sweep may have taken the new folder for an abandoned one.
		if !errors.Is(err, flock.ErrLocked) && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("locking Chromium's profile: %w", err)
		}
	}
}

func (p *profile) remove() {
	removeProfile(p.dir)
	p.lock.Close()
}

// removeProfile deletes a profile that the caller has locked. The Chromium that it belonged to is dead or dying,
// but may still write. The lock file goes last: what cannot be deleted now is there for a later sweep.
func removeProfile(dir string) {
	for range 50 {
		entries, err := os.ReadDir(dir)
		for _, e := range entries {
			if path := filepath.Join(dir, e.Name()); path != lockPath(dir) {
				err = errors.Join(err, os.RemoveAll(path))
			}
		}
		if err == nil && os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func lockPath(dir string) string { return filepath.Join(dir, "helios.lock") }

// sweepProfiles removes the profiles whose owner is gone. A profile without a lock file may be one that
// is just being made, so only an old one is taken for abandoned.
func sweepProfiles(home string) {
	entries, _ := os.ReadDir(home)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), profilePrefix) {
			continue
		}
		dir := filepath.Join(home, e.Name())
		if _, err := os.Stat(lockPath(dir)); err != nil {
			if info, err := e.Info(); err != nil || time.Since(info.ModTime()) < time.Minute {
				continue
			}
		}
		lock, err := flock.TryLock(lockPath(dir), 0o600)
		if err != nil {
			continue
		}
		removeProfile(dir)
		lock.Close()
	}
}
