package stitch

import (
	"context"
	"fmt"
	"io"
	"sync"

	"helios/shared/store"
)

const (
	// openWidth is how many chunks are open at once while samples are copied: the one that is being
	// copied and those that are made ready meanwhile.
	openWidth = 2

	// Where the kernel cannot copy, blocks are read ahead.
	blockSize  = 4 << 20
	blockWidth = 3
)

// source is a chunk whose samples are about to be copied.
type source struct {
	store.Reader
	name string
	runs []extent
	cuts []cut
}

// writeSamples copies the sample bytes of all chunks.
func (p *plan) writeSamples(ctx context.Context, w io.Writer) error {
	out := p.output(w)
	drop := func(src *source) { src.Close() }
	for src, err := range ahead(ctx, len(p.chunks), openWidth, p.source, drop) {
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

func (p *plan) source(ctx context.Context, i int) (*source, error) {
	c := &p.chunks[i]
	r, err := p.reopen(ctx, c)
	if err != nil {
		return nil, err
	}
	s, err := p.reread(r, c)
	if err != nil {
		r.Close()
		return nil, err
	}
	return &source{r, c.name, s.runs, p.cuts(c.first, s)}, nil
}

// copy writes the chunk's samples.
func (src *source) copy(ctx context.Context, w *output) error {
	for len(src.runs) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		run := &src.runs[0]
		n := kernelCopy(w.w, src.Reader, extent{run.off, w.room(run.size)})
		if n == 0 {
			return src.copyBlocks(ctx, w)
		}
		if err := w.wrote(n); err != nil {
			return err
		}
		run.off += n
		run.size -= n
		if run.size == 0 {
			src.runs = src.runs[1:]
		}
	}
	return nil
}

var blockPool = sync.Pool{New: func() any { return new([blockSize]byte) }}

// block is a piece of a run, in a buffer from the pool.
type block struct {
	buf *[blockSize]byte
	n   int64
}

func (b block) free() { blockPool.Put(b.buf) }

// copyBlocks writes the chunk's samples through buffers.
func (src *source) copyBlocks(ctx context.Context, w *output) error {
	pieces := split(src.runs, blockSize)
	read := func(_ context.Context, i int) (block, error) {
		b := block{blockPool.Get().(*[blockSize]byte), pieces[i].size}
		n, err := src.ReadAt(b.buf[:b.n], pieces[i].off)
		if int64(n) == b.n {
			return b, nil
		}
		b.free()
		if err == io.EOF {
			return block{}, named(src.name, refuse(Damaged, "ended at byte %d while it was being stitched", pieces[i].off+int64(n)))
		}
		return block{}, fmt.Errorf("reading samples of %s: %w", src.name, err)
	}
	for b, err := range ahead(ctx, len(pieces), blockWidth, read, block.free) {
		if err != nil {
			return err
		}
		err = w.write(b.buf[:b.n])
		b.free()
		if err != nil {
			return err
		}
	}
	return nil
}

// split cuts ranges into pieces of at most size bytes.
func split(runs []extent, size int64) []extent {
	var pieces []extent
	for _, run := range runs {
		for run.size > 0 {
			n := min(run.size, size)
			pieces = append(pieces, extent{run.off, n})
			run.off += n
			run.size -= n
		}
	}
	return pieces
}
