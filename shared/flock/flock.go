// Package flock locks files between processes.
//
// A lock belongs to an open file. The kernel releases it when the process closes the file or is killed, so there are no
// stale locks.
package flock

import (
	"errors"
	"os"
	"syscall"
)

// ErrLocked means that another owner holds the lock.
var ErrLocked = errors.New("locked by another process")

// TryLock opens a file and locks it. It creates the file if necessary, with the given mode minus the umask. If another
// owner holds the lock, TryLock does not wait but returns [ErrLocked]. Closing the file releases the lock.
//
// The owner of the lock may delete the file.
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
		// The previous owner may have deleted the file between the open and the lock. Then the lock is useless, because
		// other processes lock a new file.
		if isAt(f, path) {
			return f, nil
		}
		f.Close()
	}
}

// isAt reports whether path still leads to the open file f.
func isAt(f *os.File, path string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	current, err := os.Stat(path)
	return err == nil && os.SameFile(opened, current)
}
