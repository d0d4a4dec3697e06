package browser

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"helios/shared/store"
)

// cacheVariable names the folder of the cache, where that of the user's caches will not do.
const cacheVariable = "HELIOS_CACHE"

// cacheLimit is how much the cache holds at most, and at most a quarter of what is free on its disk.
const cacheLimit = 2 << 30

// cache keeps files that were fetched, by key, for all browsers and runs of this user. What was not used for
// longest goes first. A file that is being read can go: its reader keeps it.
type cache struct {
	dir   store.Dir
	limit int64
}

// making keeps those who make room from doing it twice.
var making sync.Mutex

func openCache() (*cache, error) {
	dir := os.Getenv(cacheVariable)
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("finding the folder for what is fetched; %s names one: %w", cacheVariable, err)
		}
		dir = filepath.Join(user, "helios")
	}
	dir = filepath.Join(dir, "sites")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for what is fetched; %s names another: %w", cacheVariable, err)
	}
	c := &cache{store.Dir(dir), cacheLimit}
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err == nil {
		c.limit = min(c.limit, int64(disk.Bavail)*int64(disk.Bsize)/4)
	}
	return c, nil
}

// largest is the size of the largest file that is kept.
func (c *cache) largest() int64 { return c.limit / 2 }

// open returns the file of a key, or nil if it is not there with that size.
func (c *cache) open(key string, size int64) *os.File {
	path := c.dir.Path(key)
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	if info, err := file.Stat(); err != nil || info.Size() != size {
		file.Close()
		return nil
	}
	now := time.Now()
	os.Chtimes(path, now, now)
	return file
}

// put keeps what a reader has.
func (c *cache) put(ctx context.Context, key string, r store.Reader) error {
	if err := c.makeRoom(r.Size()); err != nil {
		return fmt.Errorf("making room in the cache: %w", err)
	}
	w, err := c.dir.Create(ctx, key)
	if err != nil {
		return fmt.Errorf("writing to the cache: %w", err)
	}
	defer w.Abort()
	if _, err := io.CopyBuffer(w, io.NewSectionReader(r, 0, r.Size()), make([]byte, blockSize)); err != nil {
		return err
	}
	if err := w.Commit(); err != nil {
		return fmt.Errorf("writing to the cache: %w", err)
	}
	return nil
}

// makeRoom removes the files that were not used for longest.
func (c *cache) makeRoom(size int64) error {
	making.Lock()
	defer making.Unlock()
	entries, err := os.ReadDir(c.dir.Path(""))
	if err != nil {
		return err
	}
	var files []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			files = append(files, info)
			size += info.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return cmp.Compare(a.ModTime().UnixNano(), b.ModTime().UnixNano()) })
	for _, f := range files {
		if size <= c.limit {
			break
		}
		if err := os.Remove(c.dir.Path(f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		size -= f.Size()
	}
	return nil
}
