package browser

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/singleflight"

	"helios/shared/addr"
	"helios/shared/store"
)

// bucket serves the objects below a prefix in S3, each when it is asked for. S3 is asked each time, and what it
// has is fetched once: it stays in the cache until it changes. The page sees no credentials.
type bucket struct {
	objects *store.S3
	cache   *cache
	flights singleflight.Group
}

// openBucket opens the prefix at an address such as s3://bucket/folder/.
func openBucket(ctx context.Context, address string) (site, error) {
	name, prefix, _ := addr.SplitS3(address)
	objects, err := store.OpenS3(ctx, name, prefix)
	if err != nil {
		return nil, err
	}
	cache, err := openCache()
	if err != nil {
		return nil, err
	}
	return &bucket{objects: objects, cache: cache}, nil
}

func (b *bucket) close() { b.objects.CloseIdleConnections() }

// versioned is what the store's readers are: they know the version of what they read.
type versioned interface {
	store.Reader
	ETag() string
}

func (b *bucket) serve(w http.ResponseWriter, r *http.Request) error {
	name := sitePath(r.URL)
	opened, err := b.objects.Open(r.Context(), name)
	if err != nil {
		return err
	}
	defer opened.Close()
	object := opened.(versioned)
	w.Header().Set("Cache-Control", "no-cache")
	if object.ETag() != "" {
		w.Header().Set("ETag", object.ETag())
	}
	content, err := b.content(r.Context(), name, object)
	if err != nil {
		return err
	}
	if file, ok := content.(*os.File); ok {
		defer file.Close()
	}
	http.ServeContent(w, r, name, time.Time{}, content)
	return nil
}

// content returns an object's bytes, from the cache if they fit.
func (b *bucket) content(ctx context.Context, name string, object versioned) (io.ReadSeeker, error) {
	if object.Size() <= store.HeadSize {
		return io.NewSectionReader(object, 0, object.Size()), nil // came when it was opened
	}
	if object.Size() > b.cache.largest() {
		return io.NewSectionReader(&blocks{r: object, size: object.Size()}, 0, object.Size()), nil
	}
	key := fmt.Sprintf("%x", sha256.Sum256([]byte(b.objects.URL(name)+"\n"+object.ETag())))
	if file := b.cache.open(key, object.Size()); file != nil {
		return file, nil
	}
	for {
		_, err, _ := b.flights.Do(key, func() (any, error) {
			if file := b.cache.open(key, object.Size()); file != nil {
				return nil, file.Close()
			}
			return nil, b.cache.put(ctx, key, object)
		})
		if err == nil {
			break
		}
		// Another request for the same may have been the one to fetch it, and have gone away.
		if ctx.Err() != nil || !errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
	if file := b.cache.open(key, object.Size()); file != nil {
		return file, nil
	}
	// Others needed the room.
	return io.NewSectionReader(&blocks{r: object, size: object.Size()}, 0, object.Size()), nil
}

// blocks reads a large object for somebody who reads it a little at a time, from front to back.
type blocks struct {
	r    io.ReaderAt
	size int64
	buf  []byte
	at   int64
}

const blockSize = 4 << 20

func (b *blocks) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && off < b.size {
		if off < b.at || off >= b.at+int64(len(b.buf)) {
			buf := make([]byte, min(blockSize, b.size-off))
			if read, err := b.r.ReadAt(buf, off); read < len(buf) {
				return n, err
			}
			b.buf, b.at = buf, off
		}
		copied := copy(p[n:], b.buf[off-b.at:])
		n, off = n+copied, off+int64(copied)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
