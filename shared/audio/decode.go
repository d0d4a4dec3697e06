package audio

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/job"
)

// section is the part of a source that a track plays, and its speed. Several tracks can share one.
type section struct {
	source string
	seek   int64   // the number of samples to skip
	rate   float64 // 0 is 1
	loop   bool
}

// sectionOf returns the section of a track. A loop repeats the whole source, so its section has no seek.
func sectionOf(t job.Track) section {
	s := section{t.Source, round(samplesAt(t.Seek.Rat())), t.Rate, t.Loop}
	if t.Loop {
		s.seek = 0
	}
	return s
}

// clip is a decoded section, in a temporary AU file. Its length is 0 if the source has no sound.
type clip struct {
	file     *os.File
	start    int64 // the position of the samples in the file, in bytes
	channels int64 // 1 or 2
	length   int64 // in samples
}

func (c *clip) close() { c.file.Close() }

// decode decodes at most limit samples of a section.
func decode(ctx context.Context, from section, limit int64, folder string) (*clip, error) {
	if info, err := os.Stat(from.source); err != nil {
		return nil, fault.Userf("reading the audio source %s: %w", from.source, withoutPath(err))
	} else if !info.Mode().IsRegular() {
		return nil, fault.Userf("reading the audio source %s: not a regular file", from.source)
	}
	file, err := createTemp(folder)
	if err != nil {
		return nil, err
	}
	c := &clip{file: file}
	if err := c.fill(ctx, from, limit); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *clip) fill(ctx context.Context, from section, limit int64) error {
	cmd, err := ffmpeg.Command(
		"-protocol_whitelist", protocols, "-format_whitelist", demuxers, "-threads", "1", "-vn", "-sn", "-dn",
		"-i", "file:"+from.source,
		"-map", "0:a:0", "-af", filters(from, limit), "-c:a", "pcm_f32be", "-f", "au", "pipe:1")
	if err != nil {
		return err
	}
	cmd.Stdout = c.file
	err = ffmpeg.Run(ctx, cmd)
	if err == nil {
		return c.readHeader()
	}
	if ctx.Err() != nil || fault.Of(err) == fault.Transient {
		return err
	}
	// ffmpeg may have failed because the disk is full.
	if _, writeErr := c.file.Write(make([]byte, 64<<10)); writeErr != nil {
		return writeError(filepath.Dir(c.file.Name()), writeErr)
	}
	silent, probeErr := isSilent(ctx, from.source)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case probeErr == nil && silent:
		return nil
	}
	return fault.Userf("decoding the audio source %s: %w", from.source, err)
}

// readHeader finds the samples in the AU file.
func (c *clip) readHeader() error {
	var header [24]byte
	n, err := c.file.ReadAt(header[:], 0)
	if n == 0 && err == io.EOF {
		return nil
	}
	size, seekErr := c.file.Seek(0, io.SeekEnd)
	if err := errors.Join(err, seekErr); err != nil {
		return fmt.Errorf("reading a temporary file: %w", err)
	}
	c.start = int64(binary.BigEndian.Uint32(header[4:]))
	c.channels = int64(binary.BigEndian.Uint32(header[20:]))
	if string(header[:4]) != ".snd" || c.channels < 1 || c.channels > Channels || size < c.start {
		return fmt.Errorf("ffmpeg wrote an invalid AU file, which starts with %x", header)
	}
	c.length = (size - c.start) / (4 * c.channels)
	return nil
}

// read reads n samples. It copies a mono source to both channels at full level, as browsers do.
func (c *clip) read(at, n int64) ([]float32, error) {
	raw := make([]byte, n*4*c.channels)
	if _, err := c.file.ReadAt(raw, c.start+at*4*c.channels); err != nil {
		return nil, fmt.Errorf("reading a temporary file: %w", err)
	}
	values := make([]float32, 0, n*Channels)
	for ; len(raw) > 0; raw = raw[4:] {
		v := math.Float32frombits(binary.BigEndian.Uint32(raw))
		values = append(values, v)
		if c.channels == 1 {
			values = append(values, v)
		}
	}
	return values, nil
}

// filters returns ffmpeg's filters for a section. aresample fills a late start or a gap with silence. min_comp ignores
// gaps of a few milliseconds, which come from the rounded timestamps of WebM.
func filters(from section, limit int64) string {
	list := []string{
		fmt.Sprintf("aresample=%d:async=1:first_pts=0:min_comp=0.008", Rate),
		"aformat=sample_fmts=flt:channel_layouts=mono|stereo",
	}
	if from.seek > 0 {
		list = append(list, fmt.Sprintf("atrim=start_sample=%d,asetpts=N", from.seek))
	}
	list = append(list, tempo(from.rate)...)
	return strings.Join(append(list, fmt.Sprintf("atrim=end_sample=%d", limit)), ",")
}

// tempo returns filters that change the speed and keep the pitch. atempo skips samples above 2 and supports nothing
// below 0.5, so larger changes take several filters.
func tempo(rate float64) (list []string) {
	if rate == 0 || rate == 1 {
		return nil
	}
	for ; rate > 2; rate /= 2 {
		list = append(list, "atempo=2")
	}
	for ; rate < 0.5; rate *= 2 {
		list = append(list, "atempo=0.5")
	}
	return append(list, "atempo="+strconv.FormatFloat(rate, 'f', -1, 64))
}

// speed returns the exact speed of a track.
func speed(rate float64) *big.Rat {
	if rate == 0 {
		return big.NewRat(1, 1)
	}
	return new(big.Rat).SetFloat64(rate)
}
