package stitch

import (
	"errors"
	"os"
	"path"
	"time"
)

// Checker checks chunks for errors that do not depend on the format.
type Checker struct {
	chunks  []Chunk
	accept  func(Chunk, Info) error
	checked int
	first   Info
	files   map[fileKey][]Source
}

// fileKey is equal for files that may be the same file. [os.SameFile] decides.
type fileKey struct {
	bytes int64
	time  time.Time
}

// NewChecker returns a Checker for the chunks of an output. It fails if there are none or if a name is listed twice.
// The function accept may be nil; see [Options].
func NewChecker(chunks []Chunk, accept func(Chunk, Info) error) (*Checker, error) {
	if len(chunks) == 0 {
		return nil, errors.New("there are no chunks to join")
	}
	seen := make(map[string]bool, len(chunks))
	for _, c := range chunks {
		name := path.Clean(c.Name)
		if seen[name] {
			return nil, Named(c.Name, Errorf(Duplicate, "is listed twice"))
		}
		seen[name] = true
	}
	return &Checker{chunks: chunks, accept: accept, files: map[fileKey][]Source{}}, nil
}

// Check checks the next chunk. It calls the accept function, checks the number of frames, compares the codec and the
// frame size with those of the first chunk, and searches for the same file under another name.
func (c *Checker) Check(s Source, info Info) error {
	chunk := c.chunks[c.checked]
	if c.accept != nil {
		if err := c.accept(chunk, info); err != nil {
			return err
		}
	}
	if c.checked++; c.checked == 1 {
		c.first = info
	}
	first, name := c.first, c.chunks[0].Name
	switch {
	case chunk.Frames > 0 && info.Frames != chunk.Frames:
		return Named(s.Name, Errorf(FrameCount, "has %d frames, want %d", info.Frames, chunk.Frames))
	case info.Codec != first.Codec:
		return Named(s.Name, Errorf(Mismatch, "is %s, but %s is %s", info.Codec, name, first.Codec))
	case info.Width != first.Width || info.Height != first.Height:
		return Named(s.Name, Errorf(Mismatch, "is %dx%d, but %s is %dx%d",
			info.Width, info.Height, name, first.Width, first.Height))
	}
	if other, ok := c.sameFile(s); ok {
		return Named(s.Name, Errorf(Duplicate, "is the same file as %s", other))
	}
	return nil
}

// sameFile returns the name of an earlier chunk that is a hard or symbolic link to the same file.
func (c *Checker) sameFile(s Source) (other string, ok bool) {
	if s.stat == nil {
		return "", false
	}
	key := fileKey{s.Bytes, s.stat.ModTime()}
	for _, o := range c.files[key] {
		if os.SameFile(o.stat, s.stat) {
			return o.Name, true
		}
	}
	c.files[key] = append(c.files[key], s)
	return "", false
}
