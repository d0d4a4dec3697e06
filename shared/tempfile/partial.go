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

// CreatePartial creates the file in which an output is written before it is renamed to path. The folder of path must
// exist. The lock lasts until the file is closed.
func CreatePartial(path string) (*os.File, error) {
	// The output gets the mode of any new file.
	return flock.TryLock(partialName(path), 0o666)
}

// MkdirPartial creates a folder in which an output is written before it is renamed to path. The folder of path must
// exist. Because the lock file is in it too, the output is a folder below this one.
func MkdirPartial(path string) (*Dir, error) {
	return mkdirLocked(func() (string, error) {
		name := partialName(path)
		return name, os.Mkdir(name, 0o700)
	})
}

// RemovePartials removes the partial files and folders of an output whose owners are dead. It returns nil if the folder
// of path does not exist.
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
