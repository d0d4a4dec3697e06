package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Dir is the store of the files below a folder. An absolute name is a file anywhere on the disk. The
// folder "" is the current one.
type Dir string

// partialMark stands in the name of a file that is being written, hidden beside the file that it will
// become.
const partialMark = ".partial-"

// Path returns the file that holds an object.
func (d Dir) Path(name string) string {
	name = filepath.FromSlash(name)
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(string(d), name)
}

// Open implements [Store].
func (d Dir) Open(_ context.Context, name string) (Reader, error) {
	f, err := os.Open(d.Path(name))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", d.Path(name))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &file{File: f, size: info.Size()}, nil
}

// Create implements [Store]. It makes the folders that the name needs.
func (d Dir) Create(_ context.Context, name string) (Writer, error) { return d.CreateFile(name) }

// CreateFile is Create for programs that write a file by its path.
func (d Dir) CreateFile(name string) (*Partial, error) {
	path := d.Path(name)
	dir, base := filepath.Split(path)
	if dir != "" {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, err
		}
	}
	f, err := os.CreateTemp(dir, "."+base+partialMark+"*")
	if err != nil {
		return nil, err
	}
	return &Partial{File: f, path: path}, nil
}

// Remove implements [Store].
func (d Dir) Remove(_ context.Context, name string) error {
	err := os.Remove(d.Path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// RemovePartials deletes what writers of an object left behind when they were killed. Nobody may be
// writing the object meanwhile.
func (d Dir) RemovePartials(name string) error {
	dir, base := filepath.Split(d.Path(name))
	entries, err := os.ReadDir(filepath.Clean(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+base+partialMark) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

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
	// CreateTemp makes files for the owner alone; an output is as readable as any other new file.
	err := p.Chmod(0o666 &^ umask())
	if err == nil {
		err = p.Sync()
	}
	if err = errors.Join(err, p.Close()); err == nil {
		err = place(p.Name(), p.path)
	}
	if err != nil {
		os.Remove(p.Name())
	}
	p.done = true
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
