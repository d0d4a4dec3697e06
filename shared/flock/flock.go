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

// Lock makes the file if it is not there and locks it; closing it ends the lock. It does not wait: the
// error is ErrLocked when somebody else has it.
func Lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		return nil, err
	}
	return f, nil
}
