// Package store reads and writes objects in a folder or an S3 bucket through one interface. So a render reads its
// chunks and writes its output the same way on a disk and in S3.
//
// # Stores
//
// A [Store] contains objects, which have names with slashes. There are two stores:
//
//   - [Dir]: the objects are the files in a folder.
//   - [S3]: the objects are those of a bucket whose keys start with a prefix.
//
// # Writing
//
// An object is complete or it does not exist. A [Writer] collects the content of a new object, which appears under its
// name only when the writer commits. A process that dies before the commit leaves no object. Commit replaces an object
// with the same name; CommitNew fails with fs.ErrExist instead. So if several writers use one name, exactly one
// CommitNew succeeds.
//
// A process that dies leaves a hidden file, which [Dir.RemovePartials] removes, or a multipart upload. The next upload
// of the same object aborts earlier ones. A lifecycle rule of the bucket should abort the rest.
//
// # Reading
//
// A [Reader] reads one version of an object. If the object is replaced, a reader of Dir continues with the old version,
// and a reader of S3 fails with [ErrChanged].
//
// # Errors
//
// The error for a missing object is fs.ErrNotExist. Other errors of S3 have a kind, see [helios/shared/fault]: the
// error of a throttled or broken request is transient, and that of a missing bucket or a denied request is a user
// error. Their messages contain the S3 action and the address of the object.
package store

import (
	"context"
	"io"
)

// Store contains objects by name. Names use slashes and are relative to the root of the store, unless the
// implementation documents otherwise.
type Store interface {
	// Open opens an object for reading. The error is fs.ErrNotExist if the object does not exist.
	Open(ctx context.Context, name string) (Reader, error)

	// Create starts a new object. Open does not find it before the commit.
	Create(ctx context.Context, name string) (Writer, error)

	// Remove deletes an object. It returns nil if the object does not exist.
	Remove(ctx context.Context, name string) error
}

// Reader reads one version of an object. ReadAt may be called concurrently.
type Reader interface {
	io.ReaderAt
	io.Closer

	// Size returns the length of the object in bytes.
	Size() int64
}

// Writer receives the content of a new object. It ends with Commit, CommitNew or Abort. Abort after a commit does
// nothing, so it can be deferred.
type Writer interface {
	io.Writer

	// Commit stores the object and replaces one with the same name.
	Commit() error

	// CommitNew stores the object, or fails with fs.ErrExist if there is one with the same name.
	CommitNew() error

	// Abort discards the content.
	Abort()
}

// getSize is the number of bytes that Get reads at a time. In S3, each read is a request.
const getSize = 8 << 20

// Get copies the content of an object to w.
func Get(ctx context.Context, from Store, name string, w io.Writer) error {
	r, err := from.Open(ctx, name)
	if err != nil {
		return err
	}
	defer r.Close()
	buf := make([]byte, max(1, min(r.Size(), getSize)))
	// The structs hide ReadFrom and WriteTo, which would copy through smaller buffers.
	_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{io.NewSectionReader(r, 0, r.Size())}, buf)
	return err
}

// Put creates an object with the content of r. commit is [Writer.Commit] or [Writer.CommitNew].
func Put(ctx context.Context, to Store, name string, r io.Reader, commit func(Writer) error) error {
	w, err := to.Create(ctx, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.Copy(w, r); err != nil {
		return err
	}
	return commit(w)
}
