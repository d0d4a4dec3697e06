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

// bucket serves the objects below a prefix in S3. For each request, it reads the current ETag of the object from S3. It
// downloads each version once, into the cache.
type bucket struct {
	objects *store.S3
	cache   *cache
	flights singleflight.Group
}

// openBucket opens a prefix such as s3://bucket/folder/.
func openBucket(ctx context.Context, prefixURL string) (site, error) {
	name, prefix, _ := addr.SplitS3(prefixURL)
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

// object is the type of the readers that [store.S3.Open] returns.
type object interface {
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
	o := opened.(object)
	w.Header().Set("Cache-Control", "no-cache")
	if o.ETag() != "" {
		w.Header().Set("ETag", o.ETag())
	}
	content, err := b.content(r.Context(), name, o)
	if err != nil {
		return err
	}
	if file, ok := content.(*os.File); ok {
		defer file.Close()
	}
	http.ServeContent(w, r, name, time.Time{}, content)
	return nil
}

// content returns the content of an object: from the cache, or from S3 if it does not fit into the cache.
func (b *bucket) content(ctx context.Context, name string, o object) (io.ReadSeeker, error) {
	size := o.Size()
	if size <= store.HeadSize {
		return io.NewSectionReader(o, 0, size), nil // Open has read all of it
	}
	uncached := io.NewSectionReader(&blockReader{r: o, size: size}, 0, size)
	if size > b.cache.maxFile() {
		return uncached, nil
	}
	key := fmt.Sprintf("%x", sha256.Sum256([]byte(b.objects.URL(name)+"\n"+o.ETag())))
	if file := b.cache.open(key, size); file != nil {
		return file, nil
	}
	for {
		_, err, _ := b.flights.Do(key, func() (any, error) {
			if file := b.cache.open(key, size); file != nil {
				return nil, file.Close()
			}
			return nil, b.cache.put(ctx, key, o)
		})
		if err == nil {
			break
		}
		// The error may be that of another, cancelled request, which downloaded the object for both.
		if ctx.Err() != nil || !errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
	if file := b.cache.open(key, size); file != nil {
		return file, nil
	}
	return uncached, nil // evicted by another request
}

// blockReader reads r in blocks, because each read of an S3 object is a request. It suits sequential reads of small
// pieces.
type blockReader struct {
	r      io.ReaderAt
	size   int64
	block  []byte
	offset int64 // the offset of block in r
}

const blockSize = 4 << 20

func (b *blockReader) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && off < b.size {
		if off < b.offset || off >= b.offset+int64(len(b.block)) {
			block := make([]byte, min(blockSize, b.size-off))
			if read, err := b.r.ReadAt(block, off); read < len(block) {
				return n, err
			}
			b.block, b.offset = block, off
		}
		copied := copy(p[n:], b.block[off-b.offset:])
		n, off = n+copied, off+int64(copied)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
