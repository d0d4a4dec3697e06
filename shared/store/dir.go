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

// Dir is the store of the files below a folder. An absolute name is a file anywhere on the disk. The
// folder "" is the current one.
type Dir string

// Path returns the file that holds an object.
func (d Dir) Path(name string) string {
	name = filepath.FromSlash(name)
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(string(d), name)
}

// Open implements [Store].
func (d Dir) Open(_ context.Context, name string) (Reader, error) {
	// A named pipe would make a plain open wait for a writer.
	f, err := os.OpenFile(d.Path(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENOTDIR) {
		err = &fs.PathError{Op: "open", Path: d.Path(name), Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: d.Path(name), Err: errNotFile}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &file{File: f, size: info.Size()}, nil
}

var errNotFile = errors.New("is not a file")

// Create implements [Store]. It makes the folders that the name needs.
func (d Dir) Create(_ context.Context, name string) (Writer, error) { return d.CreateFile(name) }

// CreateFile is Create for programs that write a file by its path.
func (d Dir) CreateFile(name string) (*Partial, error) {
	path := d.Path(name)
	if info, err := os.Stat(path); err == nil && info.IsDir() || path == "" {
		return nil, fmt.Errorf("%q is a folder", path)
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
	// Not os.Remove, which takes empty folders, too.
	err := syscall.Unlink(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return &fs.PathError{Op: "remove", Path: path, Err: err}
}

// RemovePartials removes the partial files of an object whose writers were killed: see [tempfile.RemovePartials].
func (d Dir) RemovePartials(name string) error { return tempfile.RemovePartials(d.Path(name)) }

// file is an *os.File that knows its size. It stays an *os.File inside, so that the kernel can copy
// from it.
type file struct {
	*os.File
	size int64
}

func (f *file) Size() int64 { return f.size }

// Partial is a file under a hidden name until it is committed. It is a [Writer].
type Partial struct {
	*os.File
	path string
	done bool
}

func (p *Partial) Commit() error { return p.commit(os.Rename) }

func (p *Partial) CommitNew() error {
	return p.commit(func(from, to string) error {
		if err := os.Link(from, to); err != nil {
			return err
		}
		return os.Remove(from)
	})
}

func (p *Partial) commit(place func(from, to string) error) error {
	p.done = true
	err := errors.Join(p.Sync(), p.Close())
	if err == nil {
		err = place(p.Name(), p.path)
	}
	if err != nil {
		os.Remove(p.Name())
	}
	return err
}

func (p *Partial) Abort() {
	if p.done {
		return
	}
	p.done = true
	p.Close()
	os.Remove(p.Name())
}
