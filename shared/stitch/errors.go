package stitch

import "fmt"

// Kind says in which way a chunk is at fault.
type Kind int

const (
	// Missing: there is no such chunk. The error is an fs.ErrNotExist, too.
	Missing Kind = iota + 1
	// Damaged: the chunk is cut off, or contradicts itself, or changed while it was being read.
	Damaged
	// NotVideo: the chunk is no MP4 or MOV file with a video track.
	NotVideo
	// Unsuitable: the chunk is whole, but of a sort that cannot be stitched.
	Unsuitable
	// Mismatch: the chunk differs from the first in what all chunks must have in common.
	Mismatch
	// FrameCount: the chunk has another number of frames than it must have.
	FrameCount
	// Repeated: the chunk is listed twice.
	Repeated
	// NotSound: what is to be the sound has no track of sound, or others beside it.
	NotSound
)

// ChunkError says why a chunk cannot be stitched. To try again with the same chunk does not help.
type ChunkError struct {
	// Name is the chunk's name in the store.
	Name string
	Kind Kind
	// Detail says what is wrong, as the rest of a sentence that begins with the name.
	Detail string
	// Err is the error behind this one, or nil.
	Err error
}

func (e *ChunkError) Error() string { return e.Name + " " + e.Detail }

func (e *ChunkError) Unwrap() error { return e.Err }

// refuse makes the error of a chunk whose name is filled in by [named].
func refuse(kind Kind, format string, args ...any) *ChunkError {
	return &ChunkError{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}
