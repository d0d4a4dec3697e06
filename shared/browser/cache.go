package browser

import (
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

// cacheVariable is the environment variable with the folder of the cache. Default: helios in the user's cache folder.
const cacheVariable = "HELIOS_CACHE"

// cacheLimit is the maximum size of the cache in bytes. The limit is lower if it exceeds a quarter of the free space.
const cacheLimit = 2 << 30

// cache stores downloaded files by key. All browsers of a user share it. It evicts the least recently used files, even
// while they are read: an open file remains readable after its removal.
type cache struct {
	dir   store.Dir
	limit int64
}

// evicting serializes evictions.
var evicting sync.Mutex

func openCache() (*cache, error) {
	dir := os.Getenv(cacheVariable)
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("finding the cache folder: %w; set %s to a folder", err, cacheVariable)
		}
		dir = filepath.Join(user, "helios")
	}
	dir = filepath.Join(dir, "sites")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the cache folder: %w; set %s to another folder", err, cacheVariable)
	}
	c := &cache{store.Dir(dir), cacheLimit}
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err == nil {
		unit := int64(disk.Bsize) //nolint:unconvert // a uint32 on macOS
		c.limit = min(c.limit, int64(disk.Bavail)*unit/4)
	}
	return c, nil
}

// maxFile returns the maximum size of a file in the cache.
func (c *cache) maxFile() int64 { return c.limit / 2 }

// open returns the file with a key and size, or nil if it is not in the cache.
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
	_ = os.Chtimes(path, now, now) // marks the file as recently used
	return file
}

// put stores the content of r.
func (c *cache) put(ctx context.Context, key string, r store.Reader) error {
	if err := c.evict(r.Size()); err != nil {
		return fmt.Errorf("evicting files from the cache: %w", err)
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

// evict removes the least recently used files until the cache has space for size bytes.
func (c *cache) evict(size int64) error {
	evicting.Lock()
	defer evicting.Unlock()
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
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
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
