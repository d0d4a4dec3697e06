// Package flock locks files until their owner closes them or dies: the kernel keeps the lock, so a killed
// process leaves none behind.
//
// It imports none of ours.
package flock

import (
	"errors"
	"os"
	"syscall"
)

// ErrLocked says that somebody else holds the lock.
var ErrLocked = errors.New("locked by another process")

// TryLock makes the file if it is not there, with a mode less the umask, and locks it; closing it ends the lock.
// It does not wait: the error is ErrLocked when somebody else has it.
//
// Who holds a lock may delete its file.
func TryLock(path string, mode os.FileMode) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, mode)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, ErrLocked
			}
			return nil, &os.PathError{Op: "lock", Path: path, Err: err}
		}
		// The file that was opened may have been deleted before it was locked: then the lock is worth nothing.
		if same(f, path) {
			return f, nil
		}
		f.Close()
	}
}

func same(f *os.File, path string) bool {
	locked, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(locked, there)
}
