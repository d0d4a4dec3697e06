package capture

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// ring is the file through which raw frames leave the browser. A worker of the page writes them, by the page's
// Origin Private File System, which is a folder in Chromium's profile; we read them.
//
// A frame is written before it is counted, so what is counted is whole. Nobody draws more frames than there are
// slots for, so what is read is not overwritten.
type ring struct {
	layout
	file *os.File
	done uint64 // frames that are known to be in the file
}

// layout is where things are in the file, as ring.js is told.
type layout struct {
	// Name is that of the file and stands at its start.
	Name string `json:"name"`
	// Counter is where the number of the frames that were written stands, twice, and Problem why there are no
	// more.
	Counter int64 `json:"counter"`
	Problem int64 `json:"problem"`
	// Start is where the first slot begins.
	Start  int64 `json:"start"`
	Slots  int64 `json:"slots"`
	Width  int   `json:"width"`
	Height int   `json:"height"`
}

const (
	headSize = 256
	// ringSize is about what the slots take together: memory, where the profile is in memory.
	ringSize = 64 << 20
	maxSlots = 4
)

func newLayout(width, height int) layout {
	return layout{
		Name: "helios-" + rand.Text(), Counter: 64, Problem: 80, Start: 4096, Width: width, Height: height,
		Slots: max(1, min(maxSlots, ringSize/(int64(width)*int64(height)*4))),
	}
}

func (l layout) json() string {
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // strings and numbers are JSON
	}
	return string(text)
}

func (l layout) frameSize() int { return l.Width * l.Height * 4 }

// openRing finds the file that the worker has made in a browser's profile.
func openRing(profile string, l layout) (*ring, error) {
	paths, err := filepath.Glob(filepath.Join(profile, "*", "File System", "*", "*", "*", "*"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			continue // it went away
		}
		start := make([]byte, len(l.Name))
		if _, err := f.ReadAt(start, 0); err == nil && string(start) == l.Name {
			return &ring{layout: l, file: f}, nil
		}
		f.Close()
	}
	return nil, errors.New("the file of the page's frames is not in Chromium's profile")
}

func (r *ring) close() { r.file.Close() }

// workerError is what the page's worker said of why there are no more frames.
type workerError struct{ words string }

func (e *workerError) Error() string { return "writing a raw frame: " + e.words }

// pollEvery is how often the file is looked at for a frame that is on its way: a fraction of the time that one takes.
const pollEvery = time.Millisecond

// wait waits until n frames were written in all.
func (r *ring) wait(ctx context.Context, n uint64) error {
	head := make([]byte, headSize)
	for r.done < n {
		if _, err := r.file.ReadAt(head, 0); err != nil {
			return fmt.Errorf("reading a raw frame: %w", err)
		}
		if words, _, _ := bytes.Cut(head[r.Problem:], []byte{0}); len(words) > 0 {
			return &workerError{string(words)}
		}
		done, again := binary.LittleEndian.Uint64(head[r.Counter:]), binary.LittleEndian.Uint64(head[r.Counter+8:])
		if done == again && done >= n {
			r.done = done
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pollEvery):
		}
	}
	return nil
}

// read reads frame n, counted from 0, of those that were written.
func (r *ring) read(n uint64, pixels []byte) error {
	if _, err := r.file.ReadAt(pixels, r.Start+int64(n%uint64(r.Slots))*int64(r.frameSize())); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("reading a raw frame: %w", err)
	}
	return nil
}
