package audio

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/job"
)

// clip is a decoded source at its speed, in a scratch file: an AU file, whose head says the number of channels. It is
// empty where the source has no sound.
type clip struct {
	file     *os.File
	start    int64 // of the samples in the file
	channels int64 // 1 or 2
	length   int64 // in samples
}

func (c *clip) close() { c.file.Close() }

// cut is a stretch of a source at a speed, which several tracks may have in common.
type cut struct {
	source string
	seek   int64   // samples to leave out
	rate   float64 // 0 is 1
	loop   bool
}

// cutOf returns what a track needs of its source. What loops is needed from the beginning.
func cutOf(t job.Track) cut {
	c := cut{t.Source, nearest(samplesAt(t.Seek.Rat())), t.Rate, t.Loop}
	if t.Loop {
		c.seek = 0
	}
	return c
}

// decode decodes a cut: at most limit samples of it, and fewer if the source ends before.
func decode(ctx context.Context, from cut, limit int64, folder string) (*clip, error) {
	if info, err := os.Stat(from.source); err != nil {
		return nil, fault.Userf("the sound of %s cannot be read: %w", from.source, withoutPath(err))
	} else if !info.Mode().IsRegular() {
		return nil, fault.Userf("the sound of %s cannot be read: it is no file", from.source)
	}
	file, err := scratch(folder)
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

func (c *clip) fill(ctx context.Context, from cut, limit int64) error {
	cmd, err := ffmpeg.Command(
		"-protocol_whitelist", protocols, "-format_whitelist", demuxers, "-threads", "1", "-vn", "-sn", "-dn", "-i", "file:"+from.source,
		"-map", "0:a:0", "-af", filters(from, limit), "-c:a", "pcm_f32be", "-f", "au", "pipe:1")
	if err != nil {
		return err
	}
	cmd.Stdout = c.file
	err = ffmpeg.Run(ctx, cmd)
	if err == nil {
		return c.readHead()
	}
	if ctx.Err() != nil || fault.Of(err) == fault.Transient {
		return err
	}
	if _, full := c.file.Write(make([]byte, 64<<10)); full != nil {
		return unwritable(filepath.Dir(c.file.Name()), full)
	}
	silent, probing := withoutSound(ctx, from.source)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case probing == nil && silent:
		return nil
	}
	return fault.Userf("the sound of %s cannot be decoded: %w", from.source, err)
}

// readHead finds the samples in the AU file.
func (c *clip) readHead() error {
	var head [24]byte
	n, err := c.file.ReadAt(head[:], 0)
	if n == 0 && err == io.EOF {
		return nil
	}
	size, sizing := c.file.Seek(0, io.SeekEnd)
	if err := errors.Join(err, sizing); err != nil {
		return fmt.Errorf("reading a scratch file: %w", err)
	}
	c.start = int64(binary.BigEndian.Uint32(head[4:]))
	c.channels = int64(binary.BigEndian.Uint32(head[20:]))
	if string(head[:4]) != ".snd" || c.channels < 1 || c.channels > Channels || size < c.start {
		return fmt.Errorf("ffmpeg made an AU file that begins with %x", head)
	}
	c.length = (size - c.start) / (4 * c.channels)
	return nil
}

// read reads n samples. What has one channel is played by both as it is, as in browsers.
func (c *clip) read(at, n int64) ([]float32, error) {
	raw := make([]byte, n*4*c.channels)
	if _, err := c.file.ReadAt(raw, c.start+at*4*c.channels); err != nil {
		return nil, fmt.Errorf("reading a scratch file: %w", err)
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

// filters makes raw samples of a source. A source that begins late, or pauses, is filled up with silence, but not
// for the few milliseconds by which the times in WebM are rounded.
func filters(from cut, limit int64) string {
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

// tempo makes a speed of factors that the filter takes without leaving out samples, which it does above 2.
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

// withoutSound reports whether a file is a media file that holds no sound.
func withoutSound(ctx context.Context, file string) (bool, error) {
	path, err := ffmpeg.FindProbe()
	if err != nil {
		return false, err
	}
	var out bytes.Buffer
	cmd := exec.Command(path, "-v", "error", "-protocol_whitelist", protocols, "-format_whitelist", demuxers,
		"-show_entries", "stream=codec_type", "-of", "json", "file:"+file)
	cmd.Stdout = &out
	if err := ffmpeg.Run(ctx, cmd); err != nil {
		return false, err
	}
	var found struct {
		Streams []struct {
			Type string `json:"codec_type"`
		}
	}
	if err := json.Unmarshal(out.Bytes(), &found); err != nil {
		return false, fmt.Errorf("reading what ffprobe says of %s: %w", file, err)
	}
	for _, s := range found.Streams {
		if s.Type == "audio" {
			return false, nil
		}
	}
	return len(found.Streams) > 0, nil
}

// protocols are what a source may be read by, and demuxers what it may be: all that hold sound themselves. A playlist
// could name any file of the machine.
const (
	protocols = "file,pipe"
	demuxers  = "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,dtshd,dv,eac3,flac,flv,gxf,loas,matroska,mlp,mov,mp3,mp4,mpc,mpc8," +
		"mpeg,mpegts,mxf,nut,oga,ogg,oma,rm,shn,truehd,tta,voc,w64,wav,webm,wtv,wv"
)
