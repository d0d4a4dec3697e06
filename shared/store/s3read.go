package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	// HeadSize is the number of bytes that [S3.Open] reads. Open makes one request for the size anyway. The same
	// response contains all of a small file, or the tables of a small video.
	HeadSize = 32 << 10
	// rangeSize is the maximum size of the range in one request.
	rangeSize = 16 << 20
	// rangeAttempts is the maximum number of requests in a row whose responses break off before the first byte.
	rangeAttempts = 4
)

// s3Object is the Reader of S3. It reads one version of an object: once the object is replaced, only the bytes that
// Open has read remain readable.
type s3Object struct {
	*S3
	ctx    context.Context
	cancel context.CancelFunc
	name   string
	etag   string // "" before the first response, and for an empty object
	size   int64
	head   []byte // the first bytes, read by Open
}

// Open implements [Store]. Reads fail with [ErrChanged] after the object is replaced, and when ctx ends. Each ReadAt
// beyond the first [HeadSize] bytes is a request, so read large ranges, and several of them concurrently.
func (s *S3) Open(ctx context.Context, name string) (Reader, error) {
	o := &s3Object{S3: s, name: name}
	o.ctx, o.cancel = context.WithCancel(ctx)
	head := make([]byte, HeadSize)
	n, err := o.fill(head, 0)
	if err != nil {
		o.cancel()
		return nil, err
	}
	o.head = head[:n:n]
	return o, nil
}

// ETag returns the ETag of the object's content; "" for an empty object.
func (o *s3Object) ETag() string { return o.etag }

func (o *s3Object) Size() int64 { return o.size }

func (o *s3Object) Close() error {
	o.cancel()
	return nil
}

func (o *s3Object) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("reading %s: negative offset", o.URL(o.name))
	}
	atEnd := false
	if left := max(0, o.size-off); int64(len(p)) > left {
		p, atEnd = p[:left], true
	}
	if off < int64(len(o.head)) {
		n = copy(p, o.head[off:])
	}
	for n < len(p) {
		read, err := o.fill(p[n:min(len(p), n+rangeSize)], off+int64(n))
		if n += read; err != nil {
			return n, err
		}
	}
	if atEnd {
		return n, io.EOF
	}
	return n, nil
}

// fill reads a range with as many requests as necessary. The first call also sets the ETag and the size of the object.
// It returns fewer bytes if the object is smaller than the range.
func (o *s3Object) fill(p []byte, off int64) (n int, err error) {
	for attempt := 1; ; attempt++ {
		read, final, err := o.get(p[n:], off+int64(n))
		n += read
		if final || err == nil {
			return n, err
		}
		if read > 0 {
			attempt = 0
		}
		if attempt >= rangeAttempts || o.ctx.Err() != nil {
			return n, o.explain(o.ctx, "GetObject", o.name, err)
		}
	}
}

// get makes one request for a range. If final is false, the response broke off and the caller can request the rest.
func (o *s3Object) get(p []byte, off int64) (n int, final bool, err error) {
	key, bytes := o.Key(o.name), fmt.Sprintf("bytes=%d-%d", off, off+int64(len(p))-1)
	in := &s3.GetObjectInput{Bucket: &o.bucket, Key: &key, Range: &bytes}
	if o.etag != "" {
		in.IfMatch = &o.etag
	}
	response, err := o.client.GetObject(o.ctx, in)
	if isUnsatisfiable(err) && o.etag == "" {
		return 0, true, nil // the object is empty
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, false, err // an error response that broke off
	}
	if err != nil {
		return 0, true, o.explain(o.ctx, "GetObject", o.name, err)
	}
	defer response.Body.Close()
	if o.etag == "" {
		o.etag = aws.ToString(response.ETag)
		if o.size, err = totalSize(response); err != nil {
			return 0, true, fmt.Errorf("reading %s: %w", o.URL(o.name), err)
		}
	}
	p = p[:min(int64(len(p)), o.size-off)]
	if n, err = io.ReadFull(response.Body, p); errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err == nil, err
}

// isUnsatisfiable reports whether err means that the range starts after the end of the object.
func isUnsatisfiable(err error) bool {
	var response *awshttp.ResponseError
	return errors.As(err, &response) && response.HTTPStatusCode() == http.StatusRequestedRangeNotSatisfiable
}

// totalSize returns the size of the whole object.
func totalSize(response *s3.GetObjectOutput) (int64, error) {
	if response.ContentRange == nil {
		return aws.ToInt64(response.ContentLength), nil
	}
	_, total, _ := strings.Cut(*response.ContentRange, "/")
	size, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the response has the malformed Content-Range %q", *response.ContentRange)
	}
	return size, nil
}
