package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"helios/shared/store"
)

// Bucket holds the documents of jobs. Errors name the key; that of a key which is not there is an
// fs.ErrNotExist.
type Bucket struct {
	Client *s3.Client
	Name   string
}

// Object is a key of a bucket and what a listing says of it.
type Object struct {
	Key      string
	Size     int64
	Modified time.Time
}

// Get reads an object, on where an answer broke off.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	r, err := store.NewS3(b.Client, b.Name, "").Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
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
	_, err := b.Client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.Name, Key: &key, Body: bytes.NewReader(data)})
	return b.failed("writing", key, err)
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
func (b *Bucket) Delete(ctx context.Context, key string) error {
	_, err := b.Client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.Name, Key: &key})
	return b.failed("deleting", key, err)
}

// List returns the objects whose keys begin with a prefix, in the order of their keys. It takes a request for
// each thousand.
func (b *Bucket) List(ctx context.Context, prefix string) ([]Object, error) {
	var list []Object
	pages := s3.NewListObjectsV2Paginator(b.Client, &s3.ListObjectsV2Input{Bucket: &b.Name, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, b.failed("listing", prefix, err)
		}
		for _, o := range page.Contents {
			list = append(list, Object{aws.ToString(o.Key), aws.ToInt64(o.Size), aws.ToTime(o.LastModified)})
		}
	}
	return list, nil
}

func (b *Bucket) failed(doing, key string, err error) error {
	if err == nil {
		return nil
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "NoSuchKey", "NotFound":
			err = fs.ErrNotExist
		}
	}
	return fmt.Errorf("%s s3://%s/%s: %w", doing, b.Name, key, err)
}
