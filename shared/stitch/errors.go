package stitch

import (
	"errors"
	"fmt"
)

// Kind classifies a [ChunkError].
type Kind int

const (
	// Missing: the file does not exist. errors.Is(err, fs.ErrNotExist) is true, too.
	Missing Kind = iota + 1
	// Damaged: the file is truncated or inconsistent, or it changed while it was being read.
	Damaged
	// NotVideo: the file has another format or no video track.
	NotVideo
	// Unsupported: the file is valid, but it uses features that cannot be joined.
	Unsupported
	// Mismatch: the chunk differs from the first one in a property that all chunks must share.
	Mismatch
	// FrameCount: the chunk does not have the number of frames given by [Chunk].
	FrameCount
	// Duplicate: the same file is listed twice.
	Duplicate
	// NotAudio: the audio file does not consist of exactly one audio track.
	NotAudio
)

// ChunkError reports why a chunk or an audio file cannot be used. Retrying with the same file does not help.
type ChunkError struct {
	// Name is the name of the file in the store.
	Name string
	Kind Kind
	// Detail completes a sentence that starts with Name, such as "has 29 frames, want 30".
	Detail string
	// Err is the cause, or nil.
	Err error
}

func (e *ChunkError) Error() string { return e.Name + " " + e.Detail }

func (e *ChunkError) Unwrap() error { return e.Err }

// Errorf returns a ChunkError without a name; [Named] adds it.
func Errorf(kind Kind, format string, args ...any) *ChunkError {
	return &ChunkError{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// Named adds the name of a file to an error that occurred while reading it. It returns nil if err is nil.
func Named(name string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*ChunkError](err); ok {
		e.Name = name
		return e
	}
	return fmt.Errorf("reading %s: %w", name, err)
}

// WriteError wraps an error of the output's writer. The message distinguishes it from errors of chunks. It returns nil
// if err is nil.
func WriteError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("writing the output: %w", err)
}
