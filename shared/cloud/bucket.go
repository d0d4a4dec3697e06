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

// Bucket holds the documents of jobs: small objects, by their keys. Errors are those of [store.S3].
type Bucket struct {
	Client *s3.Client
	Name   string
}

// Object is a key of a bucket and what a listing says of it.
type Object = store.Object

// Objects returns what is below a prefix, or the whole bucket for "".
func (b *Bucket) Objects(prefix string) *store.S3 { return store.NewS3(b.Client, b.Name, prefix) }

// isNotFound reports whether an error is about a key that is not there.
func isNotFound(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// exists reports whether a store has an object, as an earlier execution of the same job may have left it.
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

// Get reads an object.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	var buf bytes.Buffer
	err := store.Get(ctx, b.Objects(""), key, &buf)
	return buf.Bytes(), err
}

// GetJSON reads an object into a value.
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

// Put writes an object in place of what was there.
func (b *Bucket) Put(ctx context.Context, key string, data []byte) error {
	return store.Put(ctx, b.Objects(""), key, bytes.NewReader(data), store.Writer.Commit)
}

// PutJSON writes a value as indented JSON.
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

// Delete removes an object; one that is not there is no error.
func (b *Bucket) Delete(ctx context.Context, key string) error { return b.Objects("").Remove(ctx, key) }

// List returns the objects whose keys begin with a prefix, in the order of their keys. It takes a request for
// each thousand.
func (b *Bucket) List(ctx context.Context, prefix string) ([]Object, error) {
	return b.Objects("").List(ctx, prefix)
}
