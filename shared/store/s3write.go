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
	// minPartSize is the size of parts 1 to 1000 of an upload. Parts 1001 to 2000 are twice as large, the next thousand
	// three times as large, and so on. S3 allows 10,000 parts of at least 5 MiB, so the largest object has 430 GiB.
	minPartSize = 8 << 20
	maxParts    = 10_000
	// uploadWidth is the maximum number of parts that are uploaded concurrently.
	uploadWidth = 3
	// abortTimeout limits the request that aborts an upload.
	abortTimeout = 30 * time.Second
	// partGrace is the time that part uploads have to finish after the writer failed. S3 may keep an interrupted part,
	// and with it the upload, even after the upload is aborted.
	partGrace = 5 * time.Second
	// writerKey is the metadata key with the ID of the writer. It lets a writer recognize its own object.
	writerKey = "helios-writer"
)

// partSize returns the size of a part in bytes; parts are counted from 1.
func partSize(number int32) int { return minPartSize * (1 + int(number-1)/1000) }

// s3Writer is the Writer of S3. It buffers up to one part. An object that fits into the buffer is stored with one
// request, a larger one with a multipart upload.
type s3Writer struct {
	*S3
	ctx       context.Context
	name, key string
	id        string // a random ID of this writer
	part      []byte // the content that has not been uploaded
	done      bool

	// The multipart upload, or zero values.
	upload   *string
	group    *errgroup.Group
	groupCtx context.Context // ends when a part fails
	partCtx  context.Context // ends partGrace after groupCtx
	cancel   context.CancelFunc
	free     chan []byte // buffers of uploaded parts
	number   int32       // the number of the last part
	mu       sync.Mutex
	parts    []types.CompletedPart   // by part number
	earlier  []types.MultipartUpload // unfinished uploads of the same object
}

// Create implements [Store]. A large object is uploaded in parts while it is written. The writer keeps up to four parts
// in memory: 32 MiB, or more for objects of more than 8 GiB. The writer fails when ctx ends.
func (s *S3) Create(ctx context.Context, name string) (Writer, error) {
	if name == "" {
		return nil, fmt.Errorf("creating %s: it is a folder", s.URL(name))
	}
	return &s3Writer{S3: s, ctx: ctx, name: name, key: s.Key(name), id: rand.Text()}, nil
}

func (w *s3Writer) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if err := w.err(); err != nil {
			return n, err
		}
		size := partSize(w.number + 1)
		taken := min(len(p), size-len(w.part))
		w.part = append(w.part, p[:taken]...)
		n, p = n+taken, p[taken:]
		if len(w.part) == size {
			if err := w.sendPart(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// err returns the error that ended the writer, or nil.
func (w *s3Writer) err() error {
	if w.group != nil {
		return context.Cause(w.groupCtx)
	}
	return context.Cause(w.ctx)
}

// sendPart starts the upload of the buffered part and replaces the buffer. It blocks while uploadWidth parts are being
// uploaded.
func (w *s3Writer) sendPart() error {
	if w.upload == nil {
		if err := w.startUpload(); err != nil {
			return err
		}
	}
	if w.number == maxParts {
		return fmt.Errorf("writing %s: the object is too large for S3: more than %d parts", w.URL(w.name), maxParts)
	}
	w.number++
	w.mu.Lock()
	w.parts = append(w.parts, types.CompletedPart{})
	w.mu.Unlock()
	part, number := w.part, w.number
	w.part = nil
	w.group.Go(func() error {
		err := w.uploadPart(number, part)
		w.free <- part[:0]
		return err
	})
	select {
	case w.part = <-w.free:
	default:
	}
	return nil
}

func (w *s3Writer) startUpload() error {
	if err := w.listEarlier(); err != nil {
		return err
	}
	response, err := w.client.CreateMultipartUpload(w.ctx, &s3.CreateMultipartUploadInput{
		Bucket: &w.bucket, Key: &w.key, ContentType: contentType(w.name), Metadata: w.metadata(),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if err != nil {
		return w.explain(w.ctx, "CreateMultipartUpload", w.name, err)
	}
	w.upload = response.UploadId
	ctx, cancel := context.WithCancel(w.ctx)
	w.cancel = cancel
	w.group, w.groupCtx = errgroup.WithContext(ctx)
	w.partCtx = delayCancel(w.groupCtx, partGrace)
	w.group.SetLimit(uploadWidth)
	w.free = make(chan []byte, uploadWidth+1)
	return nil
}

func (w *s3Writer) metadata() map[string]string { return map[string]string{writerKey: w.id} }

// delayCancel returns a context that ends some time after ctx.
func delayCancel(ctx context.Context, by time.Duration) context.Context {
	later, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(by, func() { cancel(context.Cause(ctx)) }) })
	return later
}

// listEarlier lists the unfinished uploads of the same object, whose writers were probably killed. Without the
// permission to list them, it does nothing. Then the bucket's lifecycle rule aborts them.
func (w *s3Writer) listEarlier() error {
	list, err := w.client.ListMultipartUploads(w.ctx, &s3.ListMultipartUploadsInput{Bucket: &w.bucket, Prefix: &w.key})
	if err != nil {
		err = w.explain(w.ctx, "ListMultipartUploads", w.name, err)
		if fault.Of(err) == fault.Transient || w.ctx.Err() != nil {
			return err
		}
		return nil
	}
	isOther := func(u types.MultipartUpload) bool { return aws.ToString(u.Key) != w.key }
	w.earlier = slices.DeleteFunc(list.Uploads, isOther)
	return nil
}

// abortEarlier aborts the earlier uploads after the object is stored. A writer that is still running then fails with a
// transient error. Only a successful writer aborts others, so at least one writer succeeds.
func (w *s3Writer) abortEarlier() {
	for _, u := range w.earlier {
		w.abortUpload(u.UploadId)
	}
}

func (w *s3Writer) uploadPart(number int32, part []byte) error {
	response, err := w.client.UploadPart(w.partCtx, &s3.UploadPartInput{
		Bucket: &w.bucket, Key: &w.key, UploadId: w.upload, PartNumber: &number, Body: bytes.NewReader(part),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if err != nil {
		return w.explain(w.partCtx, "UploadPart", w.name, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parts[number-1] = types.CompletedPart{
		PartNumber: &number, ETag: response.ETag, ChecksumCRC32: response.ChecksumCRC32,
	}
	return nil
}

func (w *s3Writer) Commit() error { return w.commit(nil) }

func (w *s3Writer) CommitNew() error { return w.commit(aws.String("*")) }

// commit stores the object. ifNoneMatch is the If-None-Match header of the request, or nil.
func (w *s3Writer) commit(ifNoneMatch *string) error {
	if w.done {
		return fmt.Errorf("writing %s: the writer has ended", w.URL(w.name))
	}
	if w.upload == nil {
		w.done = true
		return w.put(ifNoneMatch)
	}
	err := w.complete(ifNoneMatch)
	if err != nil {
		w.Abort()
	} else {
		w.abortEarlier()
	}
	w.done = true
	w.cancel()
	return err
}

// put stores a small object with one request.
func (w *s3Writer) put(ifNoneMatch *string) error {
	_, err := w.client.PutObject(w.ctx, &s3.PutObjectInput{
		Bucket: &w.bucket, Key: &w.key, Body: bytes.NewReader(w.part), IfNoneMatch: ifNoneMatch,
		ContentType: contentType(w.name), Metadata: w.metadata(), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if ifNoneMatch == nil {
		// A retry stores the same object again, so the error is that of the last attempt.
		return w.explain(w.ctx, "PutObject", w.name, err)
	}
	return w.resolve("PutObject", ifNoneMatch, err)
}

// complete completes the multipart upload.
func (w *s3Writer) complete(ifNoneMatch *string) error {
	if len(w.part) > 0 {
		if err := w.sendPart(); err != nil {
			return err
		}
	}
	if err := w.group.Wait(); err != nil {
		return err
	}
	_, err := w.client.CompleteMultipartUpload(w.ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &w.bucket, Key: &w.key, UploadId: w.upload, IfNoneMatch: ifNoneMatch,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts},
	})
	return w.resolve("CompleteMultipartUpload", ifNoneMatch, err)
}

// resolve returns the result of a commit whose request returned err. If S3 stored the object but its response was lost,
// the SDK's retry fails because the object exists or the upload is gone. So resolve compares the writer's ID with that
// in the metadata of the object.
func (w *s3Writer) resolve(action string, ifNoneMatch *string, err error) error {
	if err == nil {
		return nil
	}
	failure := w.explain(w.ctx, action, w.name, err)
	if w.ctx.Err() != nil || fault.Of(failure) == fault.User {
		return failure
	}
	object, err := w.client.HeadObject(w.ctx, &s3.HeadObjectInput{Bucket: &w.bucket, Key: &w.key})
	switch {
	case err == nil && object.Metadata[writerKey] == w.id:
		return nil
	case err == nil && ifNoneMatch != nil:
		return &fs.PathError{Op: action, Path: w.URL(w.name), Err: fs.ErrExist}
	case errors.Is(failure, fs.ErrNotExist):
		return fault.Transientf("writing %s: %w", w.URL(w.name), errUploadGone)
	}
	return failure
}

// Abort discards the object. If the upload cannot be aborted, the bucket's lifecycle rule removes it.
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
	_ = w.group.Wait() // the upload is useless now
	w.abortUpload(w.upload)
}

func (w *s3Writer) abortUpload(id *string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), abortTimeout)
	defer cancel()
	input := &s3.AbortMultipartUploadInput{Bucket: &w.bucket, Key: &w.key, UploadId: id}
	_, _ = w.client.AbortMultipartUpload(ctx, input) // a lifecycle rule removes what remains
}

// contentType returns the media type for the extension of a name, or nil.
func contentType(name string) *string {
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return &t
	}
	return nil
}
