package webm

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"helios/shared/stitch"
)

const (
	// timestampSize is the length of a cluster's Timestamp element, as appendNumber writes it.
	timestampSize = 1 + 1 + 8
	// clusterHeader is the length of a cluster's ID and size.
	clusterHeader = 4 + 8
	// blockHeader is the length of a block's track number, time and flags.
	blockHeader = 1 + 2 + 1
	// referenceSize is the length of a ReferenceBlock element with a value of 4 bytes.
	referenceSize = 1 + 1 + 4

	// The numbers of the tracks in the output.
	videoNumber = 1
	audioNumber = 2
)

// size returns the number of bytes of the SimpleBlock or BlockGroup in the output.
func (it item) size() int64 {
	if it.group {
		return elementSize(it.groupSize())
	}
	return elementSize(blockHeader + it.data.Size)
}

// groupSize returns the number of bytes in the BlockGroup.
func (it item) groupSize() int64 {
	size := elementSize(blockHeader + it.data.Size)
	for _, e := range it.kept {
		size += e.Size
	}
	if !it.key {
		size += referenceSize
	}
	return size
}

// elementSize returns the size of an element with an ID of 1 byte and a body of some bytes.
func elementSize(body int64) int64 { return 1 + sizeLength(body) + body }

// appendStart appends the part of the block before the frame, for a cluster that starts at clusterTime.
func (it item) appendStart(b []byte, clusterTime int64) []byte {
	name, flags, number := idSimpleBlock, it.flags, byte(videoNumber)
	if it.audio {
		number = audioNumber
	}
	if it.group {
		name = idBlock
		b = appendHeader(b, idBlockGroup, it.groupSize())
	} else if it.key {
		flags |= simpleKey
	}
	b = appendHeader(b, name, blockHeader+it.data.Size)
	b = append(b, 0x80|number)
	b = binary.BigEndian.AppendUint16(b, uint16(it.time-clusterTime))
	return append(b, flags)
}

// appendEnd appends the part of the block after the frame and its kept elements: a reference to the previous frame.
func (it item) appendEnd(b []byte) []byte {
	if !it.group || it.key {
		return b
	}
	b = appendHeader(b, idReferenceBlock, 4)
	return binary.BigEndian.AppendUint32(b, uint32(int32(it.previous-it.time)))
}

// write writes the whole file.
func (p *plan) write(ctx context.Context, w io.Writer, comment string) error {
	buf := bufio.NewWriterSize(w, windowSize)
	head := p.head(comment)
	p.size = int64(len(head))
	for _, c := range p.clusters {
		p.size += clusterHeader + c.size
	}
	if _, err := buf.Write(head); err != nil {
		return stitch.WriteError(err)
	}
	if err := p.writeClusters(ctx, buf); err != nil {
		return err
	}
	return stitch.WriteError(buf.Flush())
}

// writeClusters writes the clusters and copies their blocks.
func (p *plan) writeClusters(ctx context.Context, w *bufio.Writer) error {
	sources := map[bool]*source{} // by item.audio: one of video, one of audio
	defer func() {
		for _, s := range sources {
			s.Close()
		}
	}()
	next, left := 0, int64(0)
	var start int64
	var b []byte
	for it, err := range p.items(ctx) {
		if err != nil {
			return err
		}
		if it.startsCluster {
			if left != 0 || next == len(p.clusters) {
				return it.from.Changed()
			}
			c := p.clusters[next]
			next, left, start = next+1, c.size-timestampSize, c.time
			b = appendNumber(appendWide(b[:0], idCluster, c.size), idTimestamp, c.time)
			if _, err := w.Write(b); err != nil {
				return stitch.WriteError(err)
			}
		}
		if left -= it.size(); left < 0 {
			return it.from.Changed()
		}
		s := sources[it.audio]
		if s == nil || s.movie != it.from {
			if s != nil {
				s.Close()
			}
			delete(sources, it.audio)
			f, err := it.from.Reopen(ctx, p.st)
			if err != nil {
				return err
			}
			s = &source{f, stitch.NewWindow(f, windowSize), it.from}
			sources[it.audio] = s
		}
		if b, err = s.copy(w, b[:0], it, start); err != nil {
			return err
		}
	}
	if left != 0 || next != len(p.clusters) {
		return p.first.Changed()
	}
	return nil
}

// source is a file whose blocks are being copied.
type source struct {
	*stitch.File
	window *stitch.Window
	movie  *movie
}

// copy copies a block into a cluster that starts at clusterTime. It uses b as a buffer and returns it.
func (s *source) copy(w *bufio.Writer, b []byte, it item, clusterTime int64) ([]byte, error) {
	b = it.appendStart(b, clusterTime)
	if _, err := w.Write(b); err != nil {
		return b, stitch.WriteError(err)
	}
	for _, e := range [...]stitch.Extent{it.data, it.kept[0], it.kept[1]} {
		if e.Size == 0 {
			continue
		}
		part, err := s.window.Bytes(e)
		if err != nil {
			return b, fmt.Errorf("reading frames of %s: %w", s.Name, err)
		}
		if _, err := w.Write(part); err != nil {
			return b, stitch.WriteError(err)
		}
	}
	_, err := w.Write(it.appendEnd(b[:0]))
	return b, stitch.WriteError(err)
}
