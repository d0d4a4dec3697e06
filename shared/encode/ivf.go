package encode

import (
	"io"

	"github.com/Eyevinn/mp4ff/ivf"

	"helios/shared/job"
)

// ivfWriter sends the frames of a chunk to ffmpeg as IVF. The time base is the frame duration, so the timestamp of a
// frame is its number. A frame that is displayed for several frame durations is sent, decoded and converted once:
// the filter of fillGaps repeats it.
type ivfWriter struct {
	pipe   io.Writer
	header ivf.FileHeader
	w      *ivf.Writer // nil before the first frame
	next   uint64      // the number of the next frame
}

func newIVFWriter(pipe io.Writer, c job.Config) *ivfWriter {
	width, height := c.Pixels()
	fourCC, _ := frameFormat(c)
	return &ivfWriter{pipe: pipe, header: ivf.FileHeader{
		FourCC: fourCC, Width: uint16(width), Height: uint16(height), Rate: uint32(c.FPS.Num), Scale: uint32(c.FPS.Den),
	}}
}

// frameFormat returns how IVF and ffmpeg name the format of the frames: I420 in stream mode, PNG in screenshot mode.
func frameFormat(c job.Config) (fourCC, decoder string) {
	if c.Capture == job.CaptureStream {
		return "I420", "rawvideo"
	}
	return "MPNG", "png"
}

// ivfInput returns ffmpeg's arguments for the input. The probe options make it start with the first frame instead of
// waiting for several. -reinit_filter 0 keeps the filters when a PNG has an alpha channel and the previous one had
// none. New filters would lose frames, and the first filter, scale, accepts both.
func ivfInput(c job.Config) []string {
	_, decoder := frameFormat(c)
	return []string{
		"-probesize", "32", "-analyzeduration", "0", "-fpsprobesize", "0", "-reinit_filter", "0",
		"-f", "ivf", "-c:v", decoder, "-i", "pipe:0",
	}
}

// fillGaps returns the filter that repeats frames to fill gaps between timestamps.
func fillGaps(c job.Config) string { return "fps=" + c.FPS.String() }

// write sends the next frame.
func (v *ivfWriter) write(frame []byte) (err error) {
	if v.w == nil {
		if v.w, err = ivf.NewWriter(v.pipe, v.header); err != nil {
			return err
		}
	}
	err = v.w.WriteFrame(ivf.Frame{Timestamp: v.next, Data: frame})
	v.next++
	return err
}

// repeat displays the previous frame for one more frame duration.
func (v *ivfWriter) repeat() { v.next++ }
