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
	// HeadSize is how much of an object in S3 is read when it is opened: its size has to be asked for in any
	// case, and the tables of a small video, or a whole small file, come along.
	HeadSize = 32 << 10
	// rangeSize is how much is asked for at once.
	rangeSize = 16 << 20
	// rangeTries is how often a range is asked for when the answer breaks off without having brought a byte.
	rangeTries = 4
)

// s3Object is one version of an object. The rest of an object that was replaced cannot be read.
type s3Object struct {
	*S3
	ctx    context.Context
	cancel context.CancelFunc
	name   string
	etag   string
	size   int64
	head   []byte
}

// Open implements [Store]. Reading ends with an [ErrChanged] when the object is replaced meanwhile, and when
// ctx ends. Each ReadAt beyond the first bytes is a request of its own: read much at once, and at several places
// at once.
func (s *S3) Open(ctx context.Context, name string) (Reader, error) {
	o := &s3Object{S3: s, name: name}
	o.ctx, o.cancel = context.WithCancel(ctx)
	if err := o.open(); err != nil {
		o.cancel()
		return nil, err
	}
	return o, nil
}

func (o *s3Object) open() error {
	head := make([]byte, HeadSize)
	n, err := o.fill(head, 0)
	o.head = head[:n:n]
	return err
}

// ETag returns what S3 calls the version of the object's content; it is empty for an empty object.
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
		piece := p[n:min(len(p), n+rangeSize)]
		read, err := o.fill(piece, off+int64(n))
		if n += read; err != nil {
			return n, err
		}
	}
	if atEnd {
		return n, io.EOF
	}
	return n, nil
}

// fill reads a range, in as many requests as it takes. The first one of all finds out what there is; it may
// come to less than was asked for.
func (o *s3Object) fill(p []byte, off int64) (n int, err error) {
	for try := 1; ; try++ {
		read, done, err := o.get(p[n:], off+int64(n))
		n += read
		if done || err == nil {
			return n, err
		}
		if read > 0 {
			try = 0
		}
		if try >= rangeTries || o.ctx.Err() != nil {
			return n, o.explain(o.ctx, "GetObject", o.name, err)
		}
	}
}

// get makes one request for a range. It is done when there is no more to be had, in the end or by an error that
// stays.
func (o *s3Object) get(p []byte, off int64) (n int, done bool, err error) {
	key := o.Key(o.name)
	in := &s3.GetObjectInput{Bucket: &o.bucket, Key: &key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", off, off+int64(len(p))-1))}
	if o.etag != "" {
		in.IfMatch = &o.etag
	}
	answer, err := o.client.GetObject(o.ctx, in)
	if isEmpty(err) && o.etag == "" {
		return 0, true, nil
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, false, err // what was wrong did not come through
	}
	if err != nil {
		return 0, true, o.explain(o.ctx, "GetObject", o.name, err)
	}
	defer answer.Body.Close()
	if o.etag == "" {
		o.etag = aws.ToString(answer.ETag)
		if o.size, err = totalSize(answer); err != nil {
			return 0, true, fmt.Errorf("reading %s: %w", o.URL(o.name), err)
		}
	}
	p = p[:min(int64(len(p)), o.size-off)]
	if n, err = io.ReadFull(answer.Body, p); err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err == nil, err
}

// isEmpty reports whether a range was refused, as the first one is of an empty object.
func isEmpty(err error) bool {
	var response *awshttp.ResponseError
	return errors.As(err, &response) && response.HTTPStatusCode() == http.StatusRequestedRangeNotSatisfiable
}

// totalSize returns the size of the object of which a range came.
func totalSize(answer *s3.GetObjectOutput) (int64, error) {
	if answer.ContentRange == nil {
		return aws.ToInt64(answer.ContentLength), nil
	}
	_, total, _ := strings.Cut(*answer.ContentRange, "/")
	size, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the server answered with the range %q", *answer.ContentRange)
	}
	return size, nil
}
