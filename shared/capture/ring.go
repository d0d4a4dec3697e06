package capture

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"helios/shared/fault"
)

//go:embed ring.js
var ringSource string

// ring is a ring buffer of frames in a file, which passes the frames of a stream from Chromium to Helios. A worker of
// the page writes the file in the page's Origin Private File System, which is a folder in Chromium's profile.
//
// The worker writes a frame to its slot before it increments the counter.
type ring struct {
	layout
	file *os.File
	last arrival // the newest frame that next returned
}

// layout describes the file for ring.js. Numbers in the file are 64-bit integers, little-endian.
type layout struct {
	// Name is the start of the file's name. The file also starts with it.
	Name string `json:"name"`
	// Counter is the offset of the number of written frames, which is stored twice.
	Counter int64 `json:"counter"`
	// Problem is the offset of the error message, which is empty while the stream works.
	Problem int64 `json:"problem"`
	// Start is the offset of the first slot.
	Start int64 `json:"start"`
	Slots int64 `json:"slots"`
	// SlotSize is the size of a slot in bytes. A slot starts with three numbers: the number of the frame, counted from 1,
	// its capture time, and the event time since the previous frame.
	SlotSize int64 `json:"slotSize"`
	// Pixels is the offset of the pixels in a slot.
	Pixels int64 `json:"pixels"`
	// Width and Height are the size of a frame. Both are even.
	Width  int `json:"width"`
	Height int `json:"height"`
}

const (
	headSize  = 256 // bytes of the file that contain the name, the counter and the error message
	slotStart = 64  // offset of the pixels in a slot
	slots     = 4
)

func newLayout(width, height int) layout {
	return layout{
		Name: "helios-" + rand.Text(), Counter: 64, Problem: 80, Start: 4096,
		Slots: slots, SlotSize: slotStart + int64(width)*int64(height)*3/2, Pixels: slotStart, Width: width, Height: height,
	}
}

func (l layout) json() string {
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // strings and numbers are JSON
	}
	return string(text)
}

// frameSize returns the size of a frame in I420, in bytes.
func (l layout) frameSize() int { return int(l.SlotSize - l.Pixels) }

// openRing opens the worker's file in Chromium's profile and removes its name. From then on, only the worker and Helios
// can access it.
func openRing(profile string, l layout) (*ring, error) {
	paths, err := filepath.Glob(filepath.Join(profile, "*", "File System", "*", "*", "*", "*"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			continue // it was removed meanwhile
		}
		start := make([]byte, len(l.Name))
		if _, err := f.ReadAt(start, 0); err == nil && string(start) == l.Name {
			if err := os.Remove(path); err != nil {
				f.Close()
				return nil, fmt.Errorf("removing the name of the stream's file: %w", err)
			}
			return &ring{layout: l, file: f}, nil
		}
		f.Close()
	}
	return nil, errors.New("chromium's profile does not contain the file of the stream")
}

func (r *ring) close() { r.file.Close() }

// arrival identifies a frame in the ring.
type arrival struct {
	number   int64        // from 1
	captured microseconds // by CLOCK_MONOTONIC
	event    microseconds // event time since the frame before, 1 s at most
}

// pollInterval is the time between two polls of the file. It is a fraction of the time that a frame takes.
const pollInterval = time.Millisecond / 2

// ready reports whether next can return a frame at once.
func (r *ring) ready() (bool, error) {
	var head [headSize]byte
	if err := r.readAt(head[:], 0); err != nil {
		return false, err
	}
	if problem, _, _ := bytes.Cut(head[r.Problem:], []byte{0}); len(problem) > 0 {
		return false, fault.Transientf("capturing the tab: %s", problem)
	}
	count := binary.LittleEndian.Uint64(head[r.Counter:])
	again := binary.LittleEndian.Uint64(head[r.Counter+8:])
	return count == again && int64(count) > r.last.number, nil
}

// next waits for the next frame.
func (r *ring) next(ctx context.Context) (arrival, error) {
	for {
		arrived, err := r.ready()
		if err != nil {
			return arrival{}, err
		}
		if arrived {
			break
		}
		select {
		case <-ctx.Done():
			return arrival{}, context.Cause(ctx)
		case <-time.After(pollInterval):
		}
	}
	a, err := r.readHeader(r.last.number + 1)
	if err == nil {
		r.last = a
	}
	return a, err
}

// slot returns the offset of a frame's slot.
func (r *ring) slot(number int64) int64 { return r.Start + (number-1)%r.Slots*r.SlotSize }

// readHeader reads the numbers before the pixels of a frame. It fails if another frame has replaced this one.
func (r *ring) readHeader(number int64) (arrival, error) {
	var info [24]byte
	if err := r.readAt(info[:], r.slot(number)); err != nil {
		return arrival{}, err
	}
	field := func(i int) int64 { return int64(binary.LittleEndian.Uint64(info[8*i:])) }
	if field(0) != number {
		return arrival{}, fault.Transientf("frame %d of the stream was overwritten by frame %d", number, field(0))
	}
	return arrival{number, microseconds(field(1)), microseconds(field(2))}, nil
}

// read reads the pixels of a frame.
func (r *ring) read(number int64, pixels []byte) error {
	if err := r.readAt(pixels, r.slot(number)+r.Pixels); err != nil {
		return err
	}
	_, err := r.readHeader(number) // the slot may have been overwritten meanwhile
	return err
}

func (r *ring) readAt(p []byte, offset int64) error {
	if _, err := r.file.ReadAt(p, offset); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("reading the stream of the tab: %w", err)
	}
	return nil
}
