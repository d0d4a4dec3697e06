package tempfile

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"helios/shared/flock"
)

// CreatePartial creates and locks a file for the content of an output. The caller writes the file and renames it to
// path. The folder of path must exist. Closing the file releases the lock.
func CreatePartial(path string) (*os.File, error) {
	// The file becomes the output, so it has the default mode.
	return flock.TryLock(partialName(path), 0o666)
}

// MkdirPartial creates and locks a folder for the files of an output. The folder contains the lock file, so the caller
// creates the output as a subfolder and renames that to path. The folder of path must exist.
func MkdirPartial(path string) (*Dir, error) {
	return mkdirLocked(func() (string, error) {
		name := partialName(path)
		return name, os.Mkdir(name, 0o700)
	})
}

// RemovePartials removes the partial files and folders of an output that dead processes left. It returns nil if the
// folder of path does not exist.
func RemovePartials(path string) error {
	dir, prefix := filepath.Split(partialPrefix(path))
	dir = filepath.Clean(dir)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), prefix)
		if _, notNumber := strconv.ParseUint(number, 10, 64); !ok || notNumber != nil {
			continue
		}
		if e.IsDir() {
			err = errors.Join(err, removeAbandonedDir(dir, e))
		} else {
			err = errors.Join(err, removeAbandonedFile(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

func removeAbandonedFile(path string) error {
	lock, err := flock.TryLock(path, 0o666)
	if errors.Is(err, flock.ErrLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	return os.Remove(path)
}

func partialName(path string) string {
	return partialPrefix(path) + strconv.FormatUint(rand.Uint64(), 10)
}

func partialPrefix(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".partial-")
}
