package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"helios/shared/fault"
	"helios/shared/flock"
)

// lockWork makes a hidden folder beside an output for what it is made from, and keeps other processes out
// of it.
func lockWork(output, suffix string) (folder string, lock io.Closer, err error) {
	folder = filepath.Join(filepath.Dir(output), "."+filepath.Base(output)+suffix)
	for {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return "", nil, fault.Userf("writing %s: %w", output, err)
		}
		lock, err = flock.TryLock(filepath.Join(folder, "lock"), 0o600)
		switch {
		case errors.Is(err, flock.ErrLocked):
			return "", nil, fault.Userf("another helios is writing %s; wait for it, or name another output", output)
		case errors.Is(err, fs.ErrNotExist):
			// Another one was done and removed the folder meanwhile.
			continue
		}
		return folder, lock, err
	}
}
