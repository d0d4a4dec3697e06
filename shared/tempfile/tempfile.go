// Package tempfile creates temporary files and folders, and removes the ones that killed processes left behind.
//
// A killed process cannot clean up. So the owner of a temporary file or folder holds a lock, which the kernel releases
// when the process dies (see [flock]). Clean-up removes only what it can lock, so it never removes files that a running
// process uses. A file is its own lock; a folder contains a lock file.
//
// # Temporary folders
//
// [MkdirTemp] creates a folder whose name starts with [Prefix], usually below [os.TempDir]. It first calls
// [RemoveAbandoned], which removes the folders of dead processes.
//
// # Partial outputs
//
// An output is written next to its final path, under the hidden name .NAME.partial-NUMBER, and renamed when it is
// complete: see [CreatePartial] for files and [MkdirPartial] for folders. [RemovePartials] removes the abandoned ones
// of one output only: other machines may write other outputs to a shared folder, and not every network file system
// shares locks between machines.
//
// # Files without a name
//
// [Unnamed] creates a file that the kernel deletes when its last descriptor is closed. It needs no clean-up.
package tempfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"helios/shared/flock"
)

// Prefix is the prefix of the names of all temporary folders.
const Prefix = "helios-tmp-"

// lockName is the name of the lock file in a temporary folder.
const lockName = "helios.lock"

// Dir is a temporary folder. It exists until Remove or, if the process is killed, until the next clean-up.
type Dir struct {
	path string
	lock *os.File
}

// Path returns the path of the folder.
func (d *Dir) Path() string { return d.path }

// Remove deletes the folder. Child processes may still be writing to it while they die, so Remove retries for up to
// half a second. A later clean-up deletes the rest.
func (d *Dir) Remove() {
	defer d.lock.Close()
	_ = removeLocked(d.path)
}

// MkdirTemp creates a folder below parent, or below [os.TempDir] if parent is empty, after removing the abandoned ones
// there. Only the current user can open it.
func MkdirTemp(parent string) (*Dir, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	_ = RemoveAbandoned(parent)
	return mkdirLocked(func() (string, error) { return os.MkdirTemp(parent, Prefix) })
}

// RemoveAbandoned removes the temporary folders below parent whose owner is dead. It skips folders that it cannot lock.
func RemoveAbandoned(parent string) error {
	entries, _ := os.ReadDir(parent)
	var err error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), Prefix) && e.IsDir() {
			err = errors.Join(err, removeAbandonedDir(parent, e))
		}
	}
	return err
}

// mkdirLocked creates a folder and locks it.
func mkdirLocked(mkdir func() (string, error)) (*Dir, error) {
	for {
		path, err := mkdir()
		if err != nil {
			return nil, err
		}
		lock, err := flock.TryLock(filepath.Join(path, lockName), 0o600)
		if err == nil {
			return &Dir{path, lock}, nil
		}
		os.RemoveAll(path)
		// Another process may have removed the new folder before it was locked.
		if !errors.Is(err, flock.ErrLocked) && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("locking a temporary folder: %w", err)
		}
	}
}

// unlockedAge is the age at which a folder without a lock file counts as abandoned. The owner of a younger one may be
// about to create the lock file.
const unlockedAge = time.Minute

func removeAbandonedDir(parent string, e os.DirEntry) error {
	dir := filepath.Join(parent, e.Name())
	if _, err := os.Stat(filepath.Join(dir, lockName)); err != nil {
		if info, err := e.Info(); err != nil || time.Since(info.ModTime()) < unlockedAge {
			return nil
		}
	}
	lock, err := flock.TryLock(filepath.Join(dir, lockName), 0o600)
	if err != nil {
		return nil
	}
	defer lock.Close()
	return removeLocked(dir)
}

// removeLocked deletes a folder that the caller has locked. It deletes the lock file last: if another file cannot be
// deleted, a later clean-up finds the lock file and tries again.
func removeLocked(dir string) (err error) {
	for range 50 {
		var entries []os.DirEntry
		entries, err = os.ReadDir(dir)
		for _, e := range entries {
			if e.Name() != lockName {
				err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
			}
		}
		if err == nil {
			err = os.RemoveAll(dir)
		}
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// Unnamed creates a file in parent and removes its name. The kernel deletes the file when it is closed or the process
// dies.
func Unnamed(parent string) (*os.File, error) {
	f, err := os.CreateTemp(parent, "."+Prefix)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("removing the name of a temporary file: %w", err)
	}
	return f, nil
}
