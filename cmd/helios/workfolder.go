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

// lockWorkFolder creates a hidden folder for temporary files beside an output and locks it against other
// processes. Its name ends with suffix.
func lockWorkFolder(output, suffix string) (folder string, lock io.Closer, err error) {
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
			// Another process finished and removed the folder after MkdirAll.
			continue
		}
		return folder, lock, err
	}
}
