package store

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// S3 is the store of the objects of a bucket whose keys start with a prefix. The key of an object is the prefix
// followed by its name, without escaping.
type S3 struct {
	client         *s3.Client
	bucket, prefix string
}

// NewS3 returns the store of a bucket. NewS3 adds a slash to a prefix that does not end with one. The prefix "" means
// the whole bucket.
func NewS3(client *s3.Client, bucket, prefix string) *S3 {
	prefix = strings.TrimPrefix(prefix, "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return &S3{client, bucket, prefix}
}

// OpenS3 returns the store of a bucket, with a new client from [S3Client].
func OpenS3(ctx context.Context, bucket, prefix string) (*S3, error) {
	client, err := S3Client(ctx)
	if err != nil {
		return nil, err
	}
	return NewS3(client, bucket, prefix), nil
}

// Client returns the client of the store.
func (s *S3) Client() *s3.Client { return s.client }

// CloseIdleConnections closes the idle connections of the client. The client remains usable.
func (s *S3) CloseIdleConnections() {
	if c, ok := s.client.Options().HTTPClient.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Bucket returns the name of the bucket.
func (s *S3) Bucket() string { return s.bucket }

// Key returns the key of an object.
func (s *S3) Key(name string) string { return s.prefix + name }

// URL returns the address of an object, such as s3://bucket/prefix/name.
func (s *S3) URL(name string) string { return "s3://" + s.bucket + "/" + s.Key(name) }

// Remove implements [Store].
func (s *S3) Remove(ctx context.Context, name string) error {
	key := s.Key(name)
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &key})
	if err = s.explain(ctx, "DeleteObject", name, err); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Copy copies an object within the bucket, without downloading it. It replaces an existing object. The error is
// fs.ErrNotExist if there is no object with the name from.
func (s *S3) Copy(ctx context.Context, from, to string) error {
	key := s.Key(to)
	// S3 decodes a plus to a space.
	source := strings.ReplaceAll((&url.URL{Path: s.bucket + "/" + s.Key(from)}).EscapedPath(), "+", "%2B")
	_, err := s.client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &s.bucket, Key: &key, CopySource: &source})
	return s.explain(ctx, "CopyObject", from, err)
}
