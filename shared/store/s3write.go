package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"helios/shared/fault"
)

const (
	// firstParts is the size of the first thousand parts of an upload; those of each further thousand are
	// larger by as much. S3 takes 10,000 parts of 5 MiB at least, so an object can have 430 GiB.
	firstParts = 8 << 20
	maxParts   = 10_000
	// uploadWidth is how many parts are sent at once.
	uploadWidth = 3
	// abortTimeout is how long it may take to drop an upload.
	abortTimeout = 30 * time.Second
	// partGrace is how long parts may go on after their writer has ended. S3 may keep a part that was cut off, and
	// with it the upload, though that was dropped.
	partGrace = 5 * time.Second
	// writerKey is the metadata by which a writer knows its own object.
	writerKey = "helios-writer"
)

// partSize returns the size of a part in bytes; parts count from 1.
func partSize(number int32) int { return firstParts * (1 + int(number-1)/1000) }

// s3Writer holds what is not sent yet: all of a small object, which is put in one request, or the part of an
// upload that is being filled.
type s3Writer struct {
	*S3
	ctx       context.Context
	name, key string
	id        string // of the writer
	part      []byte
	done      bool

	// Of the upload, if there is one.
	upload *string
	group  *errgroup.Group
	gctx   context.Context // ends with the first part that failed
	pctx   context.Context // of the parts that are on their way then
	cancel context.CancelFunc
	free   chan []byte
	number int32 // of the part that was sent last
	mu     sync.Mutex
	parts  []types.CompletedPart   // by number
	before []types.MultipartUpload // of the same name, begun earlier
}

// Create implements [Store]. Large objects are sent in parts while they are written, which takes memory for
// four parts: 32 MiB, and more only beyond 8 GiB. When ctx ends, so does the writer.
func (s *S3) Create(ctx context.Context, name string) (Writer, error) {
	if name == "" {
		return nil, fmt.Errorf("%s is a folder", s.URL(name))
	}
	return &s3Writer{S3: s, ctx: ctx, name: name, key: s.Key(name), id: rand.Text()}, nil
}

func (w *s3Writer) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if err := w.broken(); err != nil {
			return n, err
		}
		size := partSize(w.number + 1)
		taken := min(len(p), size-len(w.part))
		w.part = append(w.part, p[:taken]...)
		n, p = n+taken, p[taken:]
		if len(w.part) == size {
			if err := w.send(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// broken returns the error that ended the writer early.
func (w *s3Writer) broken() error {
	if w.group != nil {
		return context.Cause(w.gctx)
	}
	return context.Cause(w.ctx)
}

// send begins to send the part that was filled, and makes room for the next one.
func (w *s3Writer) send() error {
	if w.upload == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	if w.number == maxParts {
		return fmt.Errorf("writing %s: it is too large for S3, with more than %d parts", w.URL(w.name), maxParts)
	}
	w.number++
	w.mu.Lock()
	w.parts = append(w.parts, types.CompletedPart{})
	w.mu.Unlock()
	part, number := w.part, w.number
	w.part = nil
	// Waits while enough are on their way.
	w.group.Go(func() error {
		err := w.sendPart(number, part)
		w.free <- part[:0]
		return err
	})
	select {
	case w.part = <-w.free:
	default:
	}
	return nil
}

func (w *s3Writer) begin() error {
	if err := w.listBefore(); err != nil {
		return err
	}
	answer, err := w.client.CreateMultipartUpload(w.ctx, &s3.CreateMultipartUploadInput{
		Bucket: &w.bucket, Key: &w.key, ContentType: contentType(w.name), Metadata: map[string]string{writerKey: w.id},
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if err != nil {
		return w.explain(w.ctx, "CreateMultipartUpload", w.name, err)
	}
	w.upload = answer.UploadId
	ctx, cancel := context.WithCancel(w.ctx)
	w.cancel = cancel
	w.group, w.gctx = errgroup.WithContext(ctx)
	w.pctx = outlast(w.gctx, partGrace)
	w.group.SetLimit(uploadWidth)
	w.free = make(chan []byte, uploadWidth+1)
	return nil
}

// outlast returns a context that ends some time after another has.
func outlast(ctx context.Context, by time.Duration) context.Context {
	later, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(by, func() { cancel(context.Cause(ctx)) }) })
	return later
}

// listBefore finds the uploads that earlier writers of the name began and have not ended: most likely they were
// killed. Who may not see them leaves them to the bucket's rule for uploads that were left behind.
func (w *s3Writer) listBefore() error {
	list, err := w.client.ListMultipartUploads(w.ctx, &s3.ListMultipartUploadsInput{Bucket: &w.bucket, Prefix: &w.key})
	if err != nil {
		if err = w.explain(w.ctx, "ListMultipartUploads", w.name, err); fault.Of(err) == fault.Transient || w.ctx.Err() != nil {
			return err
		}
		return nil
	}
	w.before = slices.DeleteFunc(list.Uploads, func(u types.MultipartUpload) bool { return aws.ToString(u.Key) != w.key })
	return nil
}

// dropBefore drops these uploads, now that the object is there. Should one of the writers still be at work, it
// finds its upload gone, which is a fault.Transient: of several writers one always gets through.
func (w *s3Writer) dropBefore() {
	for _, u := range w.before {
		w.abortUpload(u.UploadId)
	}
}

func (w *s3Writer) sendPart(number int32, part []byte) error {
	answer, err := w.client.UploadPart(w.pctx, &s3.UploadPartInput{
		Bucket: &w.bucket, Key: &w.key, UploadId: w.upload, PartNumber: &number, Body: bytes.NewReader(part),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if err != nil {
		return w.explain(w.pctx, "UploadPart", w.name, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parts[number-1] = types.CompletedPart{PartNumber: &number, ETag: answer.ETag, ChecksumCRC32: answer.ChecksumCRC32}
	return nil
}

func (w *s3Writer) Commit() error { return w.commit(nil) }

func (w *s3Writer) CommitNew() error { return w.commit(aws.String("*")) }

// commit puts the object in place; what is under its name must not match unless.
func (w *s3Writer) commit(unless *string) error {
	if w.done {
		return fmt.Errorf("writing %s: it was ended before", w.URL(w.name))
	}
	var err error
	if w.upload == nil {
		w.done = true
		err = w.put(unless)
	} else {
		if err = w.complete(unless); err != nil {
			w.Abort()
		} else {
			w.dropBefore()
		}
		w.done = true
		w.cancel()
	}
	return err
}

func (w *s3Writer) put(unless *string) error {
	_, err := w.client.PutObject(w.ctx, &s3.PutObjectInput{
		Bucket: &w.bucket, Key: &w.key, Body: bytes.NewReader(w.part), IfNoneMatch: unless,
		ContentType: contentType(w.name), Metadata: map[string]string{writerKey: w.id}, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if unless == nil {
		return w.explain(w.ctx, "PutObject", w.name, err) // each attempt has put the same
	}
	return w.settle("PutObject", unless, err)
}

func (w *s3Writer) complete(unless *string) error {
	if len(w.part) > 0 {
		if err := w.send(); err != nil {
			return err
		}
	}
	if err := w.group.Wait(); err != nil {
		return err
	}
	_, err := w.client.CompleteMultipartUpload(w.ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &w.bucket, Key: &w.key, UploadId: w.upload, IfNoneMatch: unless,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts},
	})
	return w.settle("CompleteMultipartUpload", unless, err)
}

// settle finds out what became of a commit. When its answer was lost on the way, the second attempt finds the
// object there, or the upload gone, by the first one's doing.
func (w *s3Writer) settle(action string, unless *string, err error) error {
	if err == nil {
		return nil
	}
	failure := w.explain(w.ctx, action, w.name, err)
	if w.ctx.Err() != nil || fault.Of(failure) == fault.User {
		return failure
	}
	there, err := w.client.HeadObject(w.ctx, &s3.HeadObjectInput{Bucket: &w.bucket, Key: &w.key})
	switch {
	case err == nil && there.Metadata[writerKey] == w.id:
		return nil
	case err == nil && unless != nil:
		return &fs.PathError{Op: action, Path: w.URL(w.name), Err: fs.ErrExist}
	case errors.Is(failure, fs.ErrNotExist):
		return fault.Transientf("writing %s: %w", w.URL(w.name), errDropped)
	}
	return failure
}

// Abort drops what was sent. That it could not be dropped is nobody's concern but the bucket's, which should
// have a rule for uploads that were left behind.
func (w *s3Writer) Abort() {
	if w.done {
		return
	}
	w.done = true
	w.part = nil
	if w.upload == nil {
		return
	}
	w.cancel()
	w.group.Wait()
	w.abortUpload(w.upload)
}

func (w *s3Writer) abortUpload(id *string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), abortTimeout)
	defer cancel()
	w.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &w.bucket, Key: &w.key, UploadId: id})
}

// contentType returns what a name says of an object, or nil.
func contentType(name string) *string {
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return &t
	}
	return nil
}
