// Package store is where bytes live: behind one small interface, so that a render reads its chunks
// and writes its output the same way on a disk and in a bucket.
//
// An object is there whole or not at all. What a [Writer] was given appears under its name only when
// it is committed; a process that dies before that leaves nothing that anyone could take for the
// object.
package store

import (
	"context"
	"io"
)

// Store holds objects by name. Names use slashes; they are relative to the store's root unless the
// store says otherwise.
type Store interface {
	// Open opens an object to be read. The error is an fs.ErrNotExist when there is none.
	Open(ctx context.Context, name string) (Reader, error)

	// Create begins an object. Nothing is to be seen under the name before a commit.
	Create(ctx context.Context, name string) (Writer, error)

	// Remove deletes an object; to delete what is not there is no error.
	Remove(ctx context.Context, name string) error
}

// Reader reads an object, also at several places at once. When the object is replaced meanwhile, it is read on
// as it was, or reading fails.
type Reader interface {
	io.ReaderAt
	io.Closer

	// Size is the length of the object in bytes.
	Size() int64
}

// Writer takes the bytes of a new object. Exactly one of Commit, CommitNew and Abort ends it; an Abort
// after a commit does nothing, so that it can be deferred.
type Writer interface {
	io.Writer

	// Commit puts the object in place of what was under its name.
	Commit() error

	// CommitNew puts the object in place if there is nothing under its name, and fails with an
	// fs.ErrExist otherwise: of several writers of one name the first wins.
	CommitNew() error

	// Abort drops what was written.
	Abort()
}

// getSize is how much of an object is read at once: each read from a bucket is a request.
const getSize = 8 << 20

// Get writes what is in an object to w.
func Get(ctx context.Context, from Store, name string, w io.Writer) error {
	r, err := from.Open(ctx, name)
	if err != nil {
		return err
	}
	defer r.Close()
	buf := make([]byte, max(1, min(r.Size(), getSize)))
	// Neither may bring a way of its own, with its own buffer.
	_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{io.NewSectionReader(r, 0, r.Size())}, buf)
	return err
}

// Put makes an object of what r has and ends it by commit: [Writer.Commit] or [Writer.CommitNew].
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
