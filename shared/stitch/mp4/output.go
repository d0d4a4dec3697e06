package mp4

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"helios/shared/stitch"
)

// output writes the samples. It inserts the audio after each run of the video.
type output struct {
	w     io.Writer
	audio *interleaving // nil if there is none
	bytes *bufio.Reader // of the audio
	done  int64         // the number of audio bytes that were written
	cuts  []cut
}

// cut is a position in the samples of a chunk at which a run ends.
type cut struct {
	left int64 // the number of video bytes to write before this cut
	run  int64 // the number of the run, or -1 at the end of the chunk
}

// audioBlock is the number of bytes of audio that are read at a time. It covers many runs, so that audio in a bucket
// takes few requests.
const audioBlock = 1 << 20

func (p *plan) output(w io.Writer) *output {
	o := &output{w: w, audio: p.audio}
	if p.audio != nil {
		var parts []io.Reader
		for _, run := range p.audio.runs {
			parts = append(parts, io.NewSectionReader(p.audio, run.Off, run.Size))
		}
		o.bytes = bufio.NewReaderSize(io.MultiReader(parts...), audioBlock)
	}
	return o
}

// cuts returns the cuts in the samples of a chunk. first is the number of its first frame in the output.
func (p *plan) cuts(first int64, s *samples) (list []cut) {
	if p.audio == nil {
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

// untilAudio returns the number of video bytes to write before the next cut, at most n.
func (o *output) untilAudio(n int64) int64 {
	if len(o.cuts) == 0 {
		return n
	}
	return min(n, o.cuts[0].left)
}

// advance records that n video bytes were written. If a run ends there, it writes the audio of the run.
func (o *output) advance(n int64) error {
	if len(o.cuts) == 0 {
		return nil
	}
	for o.cuts[0].left -= n; len(o.cuts) > 0 && o.cuts[0].left == 0; o.cuts = o.cuts[1:] {
		if o.cuts[0].run < 0 {
			continue
		}
		if err := o.writeAudio(o.audio.ends[o.cuts[0].run]); err != nil {
			return err
		}
	}
	return nil
}

// writeAudio writes the audio up to an offset in its samples.
func (o *output) writeAudio(end int64) error {
	for o.done < end {
		b, err := o.bytes.Peek(int(min(end-o.done, audioBlock)))
		if errors.Is(err, io.EOF) {
			return o.audio.Changed()
		}
		if err != nil {
			return fmt.Errorf("reading samples of %s: %w", o.audio.Name, err)
		}
		n, err := o.w.Write(b)
		if err != nil {
			return stitch.WriteError(err)
		}
		_, _ = o.bytes.Discard(n) // Peek has buffered them
		o.done += int64(n)
	}
	return nil
}

// write writes video bytes.
func (o *output) write(b []byte) error {
	for len(b) > 0 {
		n := o.untilAudio(int64(len(b)))
		if _, err := o.w.Write(b[:n]); err != nil {
			return stitch.WriteError(err)
		}
		if err := o.advance(n); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
