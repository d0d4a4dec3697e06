package stitch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"helios/shared/store"
)

// Source identifies an input file (a chunk or the audio) and contains its size when it was first opened.
type Source struct {
	Name  string
	Bytes int64
	stat  fs.FileInfo // nil if the store is not a folder
}

// File is a Source that is open.
type File struct {
	store.Reader
	Source
}

// Open opens an input file. The error is a [ChunkError] of kind [Missing] if there is no such file.
func Open(ctx context.Context, st store.Store, name string) (*File, error) {
	r, err := st.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &ChunkError{Name: name, Kind: Missing, Detail: "is missing", Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	f := &File{Reader: r, Source: Source{Name: name, Bytes: r.Size()}}
	if s, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if f.stat, err = s.Stat(); err != nil {
			r.Close()
			return nil, Named(name, err)
		}
	}
	return f, nil
}

// Reopen opens the file again. It fails if the size has changed.
func (s Source) Reopen(ctx context.Context, st store.Store) (*File, error) {
	f, err := Open(ctx, st, s.Name)
	if err != nil {
		return nil, err
	}
	if f.Bytes != s.Bytes {
		f.Close()
		return nil, s.Changed()
	}
	return f, nil
}

// Changed returns the error for a file that changed after it was first read.
func (s Source) Changed() error {
	return Named(s.Name, Errorf(Damaged, "changed while it was being read"))
}
