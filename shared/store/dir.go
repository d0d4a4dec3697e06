package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"helios/shared/tempfile"
)

// Dir is the store of the files in a folder and its subfolders. An absolute name is a file anywhere on the disk.
// Dir("") is the current folder.
type Dir string

// Path returns the path of an object's file.
func (d Dir) Path(name string) string {
	name = filepath.FromSlash(name)
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(string(d), name)
}

// errNotRegular means that an object's path is a folder, a device or a named pipe.
var errNotRegular = errors.New("is not a regular file")

// Open implements [Store]. It fails for everything but regular files.
func (d Dir) Open(_ context.Context, name string) (Reader, error) {
	// Without O_NONBLOCK, opening a named pipe blocks until another process opens it for writing.
	f, err := os.OpenFile(d.Path(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENOTDIR) {
		err = &fs.PathError{Op: "open", Path: d.Path(name), Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: d.Path(name), Err: errNotRegular}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &file{File: f, size: info.Size()}, nil
}

// Create implements [Store]. It creates missing folders.
func (d Dir) Create(_ context.Context, name string) (Writer, error) { return d.CreateFile(name) }

// CreateFile is like Create. It is for callers that need the path of the partial file.
func (d Dir) CreateFile(name string) (*Partial, error) {
	path := d.Path(name)
	if info, err := os.Stat(path); err == nil && info.IsDir() || path == "" {
		return nil, fmt.Errorf("creating %q: it is a folder", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	f, err := tempfile.CreatePartial(path)
	if err != nil {
		return nil, err
	}
	return &Partial{File: f, path: path}, nil
}

// Remove implements [Store].
func (d Dir) Remove(_ context.Context, name string) error {
	path := d.Path(name)
	// Unlink, because os.Remove also removes empty folders.
	err := syscall.Unlink(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return &fs.PathError{Op: "remove", Path: path, Err: err}
}

// RemovePartials removes the partial files of an object whose writers were killed: see [tempfile.RemovePartials].
func (d Dir) RemovePartials(name string) error { return tempfile.RemovePartials(d.Path(name)) }

// file is the Reader of Dir. It embeds *os.File, so that callers can let the kernel copy from it.
type file struct {
	*os.File
	size int64
}

func (f *file) Size() int64 { return f.size }

// Partial is the [Writer] of Dir: a file with a hidden name next to its final path.
type Partial struct {
	*os.File
	path string
	done bool
}

// Commit implements [Writer].
func (p *Partial) Commit() error { return p.commit(os.Rename) }

// CommitNew implements [Writer].
func (p *Partial) CommitNew() error {
	// Unlike rename, link fails if the new name exists.
	return p.commit(func(from, to string) error {
		if err := os.Link(from, to); err != nil {
			return err
		}
		return os.Remove(from)
	})
}

func (p *Partial) commit(move func(from, to string) error) error {
	p.done = true
	err := errors.Join(p.Sync(), p.Close())
	if err == nil {
		err = move(p.Name(), p.path)
	}
	if err != nil {
		os.Remove(p.Name())
	}
	return err
}

// Abort implements [Writer].
func (p *Partial) Abort() {
	if p.done {
		return
	}
	p.done = true
	p.Close()
	os.Remove(p.Name())
}
