package mp4_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/Eyevinn/mp4ff/bits"
	mp4ff "github.com/Eyevinn/mp4ff/mp4"

	"helios/shared/stitch"
	"helios/shared/stitch/mp4"
	"helios/shared/store"
)

// virtualStore is a read-only store of generated files. It counts open files.
type virtualStore struct {
	find func(name string) (*pieces, error)

	mu       sync.Mutex
	open     int // now
	mostOpen int
	opened   int // in total
	onOpen   func(opened int)
}

// pieces is a file that consists of a start, zeros, and an end.
type pieces struct {
	start, end []byte
	zeros      int64
}

func (p *pieces) Size() int64 { return int64(len(p.start)) + p.zeros + int64(len(p.end)) }

func (p *pieces) ReadAt(b []byte, off int64) (int, error) {
	if off >= p.Size() {
		return 0, io.EOF
	}
	var err error
	if left := p.Size() - off; int64(len(b)) > left {
		b, err = b[:left], io.EOF
	}
	clear(b)
	if off < int64(len(p.start)) {
		copy(b, p.start[off:])
	}
	if end := int64(len(p.start)) + p.zeros; off >= end {
		copy(b, p.end[off-end:])
	} else if off+int64(len(b)) > end {
		copy(b[end-off:], p.end)
	}
	return len(b), err
}

type virtualReader struct {
	*pieces
	v *virtualStore
}

func (r virtualReader) Close() error {
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	r.v.open--
	return nil
}

func (v *virtualStore) Open(_ context.Context, name string) (store.Reader, error) {
	p, err := v.find(name)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open++
	v.opened++
	v.mostOpen = max(v.mostOpen, v.open)
	if v.onOpen != nil {
		v.onOpen(v.opened)
	}
	return virtualReader{p, v}, nil
}

func (v *virtualStore) Create(context.Context, string) (store.Writer, error) {
	return nil, fs.ErrPermission
}

func (v *virtualStore) Remove(context.Context, string) error { return fs.ErrPermission }

// The tables of these chunks are much larger than the memory for tables. Twice as many chunks take the same memory, and
// few files are open.
func TestWriteManyChunks(t *testing.T) {
	dir := t.TempDir()
	source{size: "16x16", frames: 3000, args: []string{"-preset", "ultrafast"}}.encode(t, join(dir, "a.mp4"))
	data, err := os.ReadFile(join(dir, "a.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("each chunk has %d bytes of tables", len(data)-bytes.LastIndex(data, []byte("moov")))

	peak := map[int]uint64{}
	for _, n := range []int{1000, 2000} {
		var live uint64
		v := &virtualStore{
			find: func(string) (*pieces, error) { return &pieces{start: data}, nil },
			onOpen: func(opened int) {
				if opened%250 == 0 {
					live = max(live, liveHeap())
				}
			},
		}
		before := liveHeap()
		chunks := make([]stitch.Chunk, n)
		for i := range chunks {
			chunks[i] = stitch.Chunk{Name: fmt.Sprintf("%04d.mp4", i), Frames: 3000}
		}
		info, err := mp4.Write(t.Context(), io.Discard, v, chunks, stitch.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want := int64(n) * 3000; info.Frames != want {
			t.Errorf("%d chunks have %d frames, want %d", n, info.Frames, want)
		}
		if v.open != 0 || v.mostOpen > 16 {
			t.Errorf("up to %d chunks were open, and %d at the end, want at most 16 and 0", v.mostOpen, v.open)
		}
		peak[n] = live - min(live, before)
		t.Logf("%d chunks: up to %.1f MB live, up to %d open, opened %d times", n, float64(peak[n])/1e6, v.mostOpen, v.opened)
	}
	if peak[2000] > 64<<20 {
		t.Errorf("2000 chunks take %d bytes of memory", peak[2000])
	}
	if grown := int64(peak[2000]) - int64(peak[1000]); grown > 8<<20 {
		t.Errorf("2000 chunks take %d bytes more than 1000", grown)
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// headWriter keeps the first MiB and counts all bytes.
type headWriter struct {
	head []byte
	n    int64
}

func (w *headWriter) Write(b []byte) (int, error) {
	if room := 1<<20 - len(w.head); room > 0 {
		w.head = append(w.head, b[:min(room, len(b))]...)
	}
	w.n += int64(len(b))
	return len(b), nil
}

// Above 4 GiB, offsets and the size of mdat have 64 bits, in the output and when it is read.
func TestWriteLarge(t *testing.T) {
	dir := t.TempDir()
	source{frames: 30}.encode(t, join(dir, "a.mp4"))
	const sampleSize = 50_000_000
	var total int64
	data := rewrite(t, join(dir, "a.mp4"), func(moov *mp4ff.MoovBox) {
		stsz := moov.Trak.Mdia.Minf.Stbl.Stsz
		for i := range stsz.SampleSize {
			stsz.SampleSize[i] = sampleSize
			total += sampleSize
		}
	})
	mdat := bytes.Index(data, []byte("mdat"))
	size := uint32(total + 8)
	copy(data[mdat-4:], []byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)})
	chunk := &pieces{start: data[:mdat+4], zeros: total, end: data[bytes.LastIndex(data, []byte("moov"))-4:]}

	v := &virtualStore{find: func(string) (*pieces, error) { return chunk, nil }}
	var out headWriter
	info, err := mp4.Write(t.Context(), &out, v, chunks(names(3)...), stitch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if info.Bytes != out.n || out.n < 3*total {
		t.Errorf("Write wrote %d bytes and returned %d, want at least %d", out.n, info.Bytes, 3*total)
	}

	start := bytes.Index(out.head, []byte("mdat")) + 12
	if got := out.head[start-16 : start-8]; !bytes.Equal(got, []byte("\x00\x00\x00\x01mdat")) {
		t.Errorf("the mdat box has the header %q", got)
	}
	b, err := mp4ff.DecodeBoxSR(0, bits.NewFixedSliceReader(out.head[bytes.Index(out.head, []byte("moov"))-4:]))
	if err != nil {
		t.Fatal(err)
	}
	stbl := b.(*mp4ff.MoovBox).Trak.Mdia.Minf.Stbl
	if stbl.Co64 == nil || stbl.Stco != nil {
		t.Fatal("the output has no co64 box, or an stco box")
	}
	for i, off := range stbl.Co64.ChunkOffset {
		// A run of half a second has 15 samples.
		if want := uint64(start) + uint64(i)*15*sampleSize; off != want {
			t.Errorf("run %d is at byte %d, want %d", i, off, want)
		}
	}

	file := &pieces{start: out.head[:start], zeros: 3 * total}
	v.find = func(string) (*pieces, error) { return file, nil }
	if got, err := mp4.Probe(t.Context(), v, "out.mp4"); err != nil || got != info {
		t.Errorf("Probe(output) = %+v, %v; want %+v", got, err, info)
	}
}

// Write fails if a chunk is replaced after it was checked.
func TestWriteChanged(t *testing.T) {
	dir := t.TempDir()
	source{}.encode(t, join(dir, "a.mp4"))
	source{start: 30}.encode(t, join(dir, "b.mp4"))
	a, _ := os.ReadFile(join(dir, "a.mp4"))
	b, _ := os.ReadFile(join(dir, "b.mp4"))
	v := &virtualStore{}
	v.find = func(name string) (*pieces, error) {
		if v.opened > 0 {
			return &pieces{start: b}, nil
		}
		return &pieces{start: a}, nil
	}
	_, err := mp4.Write(t.Context(), io.Discard, v, chunks("a.mp4"), stitch.Options{})
	var chunk *stitch.ChunkError
	if !errors.As(err, &chunk) || chunk.Kind != stitch.Damaged || err.Error() != "a.mp4 changed while it was being read" {
		t.Errorf("Write = %v", err)
	}
}

// A failed read is not a ChunkError: a retry may succeed.
func TestProbeReadError(t *testing.T) {
	timeout := errors.New("connection reset")
	v := &virtualStore{find: func(string) (*pieces, error) { return nil, timeout }}
	_, err := mp4.Probe(t.Context(), v, "a.mp4")
	var chunk *stitch.ChunkError
	if !errors.Is(err, timeout) || errors.As(err, &chunk) {
		t.Errorf("Probe = %v", err)
	}
}
