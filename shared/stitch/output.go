package stitch

import (
	"bufio"
	"fmt"
	"io"
)

// output is what samples are written to. It puts sound behind the runs of pictures.
type output struct {
	w     io.Writer
	sound *interleaving // nil if there is none
	bytes *bufio.Reader // of the sound
	done  int64         // bytes of sound
	cuts  []cut
}

// cut is a place in the pictures of a chunk where a run ends.
type cut struct {
	left int64 // bytes of pictures up to it, from the one before
	run  int64
}

// soundBlock is how much sound is read at once: many runs, so that sound in a bucket costs few requests.
const soundBlock = 1 << 20

func (p *plan) output(w io.Writer) *output {
	o := &output{w: w, sound: p.sound}
	if p.sound != nil {
		var parts []io.Reader
		for _, run := range p.sound.runs {
			parts = append(parts, io.NewSectionReader(p.sound, run.off, run.size))
		}
		o.bytes = bufio.NewReaderSize(io.MultiReader(parts...), soundBlock)
	}
	return o
}

// cuts returns where runs end among the samples of a chunk.
func (p *plan) cuts(first int64, s *samples) (list []cut) {
	if p.sound == nil {
		return nil
	}
	length, _ := p.runs()
	bytes := int64(0)
	for i, size := range s.sizes {
		bytes += int64(size)
		if frame := first + int64(i) + 1; frame%int64(length) == 0 || frame == p.frames {
			list = append(list, cut{bytes, (frame - 1) / int64(length)})
			bytes = 0
		}
	}
	return append(list, cut{bytes, -1})
}

// room returns how many of n bytes of pictures are to be written before sound follows.
func (o *output) room(n int64) int64 {
	if len(o.cuts) == 0 {
		return n
	}
	return min(n, o.cuts[0].left)
}

// wrote says that so many bytes of pictures were written, and writes the sound that follows them.
func (o *output) wrote(n int64) error {
	if len(o.cuts) == 0 {
		return nil
	}
	for o.cuts[0].left -= n; len(o.cuts) > 0 && o.cuts[0].left == 0; o.cuts = o.cuts[1:] {
		if o.cuts[0].run < 0 {
			continue
		}
		if err := o.writeSound(o.sound.ends[o.cuts[0].run]); err != nil {
			return err
		}
	}
	return nil
}

// writeSound writes the sound up to a place in it.
func (o *output) writeSound(end int64) error {
	for o.done < end {
		b, err := o.bytes.Peek(int(min(end-o.done, soundBlock)))
		if err == io.EOF {
			return named(o.sound.name, refuse(Damaged, "ended while it was being stitched"))
		}
		if err != nil {
			return fmt.Errorf("reading samples of %s: %w", o.sound.name, err)
		}
		n, err := o.w.Write(b)
		if err != nil {
			return writing(err)
		}
		o.bytes.Discard(n)
		o.done += int64(n)
	}
	return nil
}

// write writes pictures.
func (o *output) write(b []byte) error {
	for len(b) > 0 {
		n := o.room(int64(len(b)))
		if _, err := o.w.Write(b[:n]); err != nil {
			return writing(err)
		}
		if err := o.wrote(n); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
