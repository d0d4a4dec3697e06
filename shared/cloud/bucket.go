package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"helios/shared/store"
)

// Bucket reads and writes the small documents of jobs. Its errors are those of [store.S3].
type Bucket struct {
	Client *s3.Client
	Name   string
}

// Object is an entry of a listing.
type Object = store.Object

// Objects returns a store of the objects below a prefix; "" selects the whole bucket.
func (b *Bucket) Objects(prefix string) *store.S3 { return store.NewS3(b.Client, b.Name, prefix) }

func isNotFound(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// exists reports whether s contains name.
func exists(ctx context.Context, s store.Store, name string) (bool, error) {
	r, err := s.Open(ctx, name)
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, r.Close()
}

// Get returns the content of an object.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	var buf bytes.Buffer
	err := store.Get(ctx, b.Objects(""), key, &buf)
	return buf.Bytes(), err
}

// GetJSON decodes an object into value.
func (b *Bucket) GetJSON(ctx context.Context, key string, value any) error {
	data, err := b.Get(ctx, key)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, value); err != nil {
		return fmt.Errorf("reading s3://%s/%s: %w", b.Name, key, err)
	}
	return nil
}

// Put writes an object. It replaces an existing one.
func (b *Bucket) Put(ctx context.Context, key string, data []byte) error {
	return store.Put(ctx, b.Objects(""), key, bytes.NewReader(data), store.Writer.Commit)
}

// PutJSON writes value as indented JSON.
func (b *Bucket) PutJSON(ctx context.Context, key string, value any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return err
	}
	return b.Put(ctx, key, buf.Bytes())
}

// Delete removes an object. It returns nil if there is none.
func (b *Bucket) Delete(ctx context.Context, key string) error { return b.Objects("").Remove(ctx, key) }

// List returns the objects below a prefix in the order of their keys. It makes one request per thousand objects.
func (b *Bucket) List(ctx context.Context, prefix string) ([]Object, error) {
	return b.Objects("").List(ctx, prefix)
}
