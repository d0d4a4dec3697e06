package encode

import (
	"encoding/binary"
	"io"

	"helios/shared/job"
)

// Pictures go to ffmpeg as IVF, which gives each its presentation time. So one that is shown for several frames is
// handed over, unpacked and converted once, and repeated by the filter of ivfTimes.

// ivf writes the pictures of a chunk. Its timescale is the frame rate: a presentation time is the number of a frame.
type ivf struct {
	w    io.Writer
	head []byte // of the file, until it is written
	next uint64 // the number of the next frame
}

const ivfFileHead = 32

func newIVF(w io.Writer, c job.Config) *ivf {
	le := binary.LittleEndian
	width, height := c.Pixels()
	fourCC, _ := form(c)
	head := append(make([]byte, 0, ivfFileHead), "DKIF"...)
	head = le.AppendUint16(head, 0) // version
	head = le.AppendUint16(head, ivfFileHead)
	head = append(head, fourCC...)
	head = le.AppendUint16(head, uint16(width))
	head = le.AppendUint16(head, uint16(height))
	head = le.AppendUint32(head, uint32(c.FPS.Num))
	head = le.AppendUint32(head, uint32(c.FPS.Den))
	return &ivf{w: w, head: head[:ivfFileHead]} // the number of frames, not known yet, and four bytes that are not used
}

// form says in what form the frames come: I420 in stream mode, PNG otherwise.
func form(c job.Config) (fourCC, decoder string) {
	if c.Capture == job.CaptureStream {
		return "I420", "rawvideo"
	}
	return "MPNG", "png"
}

// ivfInput is how ffmpeg is told to read it. It shall not wait for more than the first picture to learn what it gets, and
// not begin its filters anew, which forgets frames, when a PNG has an alpha channel and the one before had none: scale, the
// first filter, copes with that.
func ivfInput(c job.Config) []string {
	_, decoder := form(c)
	return []string{"-probesize", "32", "-analyzeduration", "0", "-fpsprobesize", "0", "-reinit_filter", "0", "-f", "ivf", "-c:v", decoder, "-i", "pipe:0"}
}

// ivfTimes is the filter that fills the gaps between the presentation times.
func ivfTimes(c job.Config) string { return "fps=" + c.FPS.String() }

// write writes the picture of the next frame.
func (v *ivf) write(picture []byte) error {
	head := binary.LittleEndian.AppendUint32(v.head, uint32(len(picture)))
	head = binary.LittleEndian.AppendUint64(head, v.next)
	v.head = v.head[:0]
	v.next++
	if _, err := v.w.Write(head); err != nil {
		return err
	}
	_, err := v.w.Write(picture)
	return err
}

// repeat leaves a gap for the next frame.
func (v *ivf) repeat() { v.next++ }
