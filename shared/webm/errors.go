package webm

import (
	"errors"
	"fmt"

	"helios/shared/stitch"
)

// refuse makes the error of a chunk whose name is filled in by [named].
func refuse(kind stitch.Kind, format string, args ...any) *stitch.ChunkError {
	return &stitch.ChunkError{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// named puts the chunk's name into an error.
func named(name string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*stitch.ChunkError](err); ok {
		e.Name = name
		return e
	}
	return fmt.Errorf("reading chunk %s: %w", name, err)
}

// writing says of an error that it came from writing the output, and not from reading a chunk.
func writing(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("writing the output: %w", err)
}
