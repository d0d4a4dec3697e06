package mp4

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"helios/shared/stitch"
)

const (
	// openWidth is the number of chunks that are open while samples are copied: the current one and the next one.
	openWidth = 2

	// If the kernel cannot copy, blockSize is the number of bytes that are read at a time, and blockWidth the number of
	// concurrent reads.
	blockSize  = 4 << 20
	blockWidth = 3
)

// sampleSource is a chunk whose samples are being copied.
type sampleSource struct {
	*stitch.File
	runs []stitch.Extent
	cuts []cut
}

// writeSamples copies the samples of all chunks.
func (p *plan) writeSamples(ctx context.Context, w io.Writer) error {
	out := p.output(w)
	drop := func(src *sampleSource) { src.Close() }
	for src, err := range stitch.Prefetch(ctx, len(p.chunks), openWidth, p.openSamples, drop) {
		if err != nil {
			return err
		}
		out.cuts = src.cuts
		err = src.copy(ctx, out)
		src.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// openSamples opens chunk i and finds its samples.
func (p *plan) openSamples(ctx context.Context, i int) (*sampleSource, error) {
	c := &p.chunks[i]
	f, err := c.Reopen(ctx, p.st)
	if err != nil {
		return nil, err
	}
	s, err := p.samples(f, c)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &sampleSource{f, s.runs, p.cuts(c.first, s)}, nil
}

// copy writes the samples of the chunk.
func (src *sampleSource) copy(ctx context.Context, out *output) error {
	for len(src.runs) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		run := &src.runs[0]
		n := kernelCopy(out.w, src.Reader, stitch.Extent{Off: run.Off, Size: out.untilAudio(run.Size)})
		if n == 0 {
			return src.copyBlocks(ctx, out)
		}
		if err := out.advance(n); err != nil {
			return err
		}
		run.Off += n
		run.Size -= n
		if run.Size == 0 {
			src.runs = src.runs[1:]
		}
	}
	return nil
}

var blockPool = sync.Pool{New: func() any { return new([blockSize]byte) }}

// block is a part of a run, in a buffer of blockPool.
type block struct {
	buf *[blockSize]byte
	n   int64
}

func (b block) free() { blockPool.Put(b.buf) }

// copyBlocks writes the samples of the chunk through buffers.
func (src *sampleSource) copyBlocks(ctx context.Context, out *output) error {
	extents := split(src.runs, blockSize)
	read := func(_ context.Context, i int) (block, error) {
		b := block{blockPool.Get().(*[blockSize]byte), extents[i].Size}
		n, err := src.ReadAt(b.buf[:b.n], extents[i].Off)
		if int64(n) == b.n {
			return b, nil
		}
		b.free()
		if errors.Is(err, io.EOF) {
			return block{}, src.Changed()
		}
		return block{}, fmt.Errorf("reading samples of %s: %w", src.Name, err)
	}
	for b, err := range stitch.Prefetch(ctx, len(extents), blockWidth, read, block.free) {
		if err != nil {
			return err
		}
		err = out.write(b.buf[:b.n])
		b.free()
		if err != nil {
			return err
		}
	}
	return nil
}

// split divides ranges into ranges of at most size bytes.
func split(runs []stitch.Extent, size int64) (parts []stitch.Extent) {
	for _, run := range runs {
		for run.Size > 0 {
			n := min(run.Size, size)
			parts = append(parts, stitch.Extent{Off: run.Off, Size: n})
			run.Off += n
			run.Size -= n
		}
	}
	return parts
}
