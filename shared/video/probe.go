// Package video reads the frames of video files, each by its place in the file, through ffmpeg. One ffmpeg
// decodes one stretch, from the frame that is asked for first; nothing before it is decoded but what it
// depends on.
package video

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/process"
)

// Info is what is to be known of a file before it is played. Times are in seconds from where a browser
// begins to count.
type Info struct {
	// Duration is that of the file, with its sound; 0 when the file does not tell.
	Duration float64
	// Times are when each picture begins to be shown, in order; none in a file without pictures.
	Times []float64
	// TimeBase is the unit in which the file counts time.
	TimeBase float64
	// Width and Height are the size at which the pictures are shown: upright, with square pixels.
	Width, Height int
	// Alpha says that pictures can be seen through.
	Alpha bool

	zero    float64 // of Times, in the file's own time
	start   float64 // from where ffmpeg counts, in the file's own time
	decoder string  // for ffmpeg, empty for the usual one
	pixels  string  // how they are stored, in ffmpeg's words
	matrix  string  // of the colours
	full    bool    // their range is that of computers, not that of television
}

// input are ffmpeg's options for a file that nobody vouches for: a playlist could name any other file.
var input = []string{
	"-protocol_whitelist", "file",
	"-format_whitelist", "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,ogg,avi,mpegts,mpeg,flv,gif,apng,mp3,wav,flac,aac,aiff,asf,ivf,w64,caf",
}

// probed is what ffprobe says.
type probed struct {
	Format struct {
		Start    string `json:"start_time"`
		Duration string
	}
	Streams []struct {
		Codec       string `json:"codec_name"`
		Width       int
		Height      int
		Pixels      string `json:"pix_fmt"`
		Aspect      string `json:"sample_aspect_ratio"`
		TimeBase    string `json:"time_base"`
		Matrix      string `json:"color_space"`
		Range       string `json:"color_range"`
		Disposition struct {
			Picture int `json:"attached_pic"`
		}
		Tags map[string]string
		Side []struct{ Rotation float64 } `json:"side_data_list"`
	}
	Packets []struct {
		PTS      *int64
		Duration int64
		Flags    string
	}
	Frames []struct {
		PTS *int64 `json:"best_effort_timestamp"`
	}
}

// known is what was found out of files, by their version: each page that shows one asks again.
var known sync.Map

// version is a file as it was at a time.
type version struct {
	path     string
	size     int64
	modified time.Time
}

// Probe looks into a file. One that ffmpeg cannot read is a fault.User. What it returns is not to be changed.
func Probe(ctx context.Context, path string) (*Info, error) {
	file, err := os.Stat(path)
	if err != nil {
		return look(ctx, path)
	}
	v := version{path, file.Size(), file.ModTime()}
	if i, ok := known.Load(v); ok {
		return i.(*Info), nil
	}
	i, err := look(ctx, path)
	if err == nil {
		known.Store(v, i)
	}
	return i, err
}

func look(ctx context.Context, path string) (*Info, error) {
	p, err := probe(ctx, path, "packet=pts,duration,flags")
	if err != nil {
		return nil, err
	}
	i := &Info{}
	start, _ := strconv.ParseFloat(p.Format.Start, 64)
	i.start, i.zero = start, max(0, start) // sound may begin before zero, with what its codec needs to warm up
	i.Duration, _ = strconv.ParseFloat(p.Format.Duration, 64)
	i.Duration += min(0, start)
	if len(p.Streams) == 0 || p.Streams[0].Disposition.Picture != 0 {
		return i, nil
	}
	s := p.Streams[0]
	base, ok := new(big.Rat).SetString(s.TimeBase)
	if !ok || s.Width == 0 || s.Height == 0 {
		return nil, fault.Userf("ffprobe cannot tell the size or the time of its pictures")
	}
	i.TimeBase, _ = base.Float64()
	var end int64
	var ticks []int64
	timeless := false
	for _, packet := range p.Packets {
		switch {
		case strings.Contains(packet.Flags, "D"): // cut off by an edit list
		case packet.PTS == nil:
			timeless = true
		default:
			ticks = append(ticks, *packet.PTS)
			end = max(end, *packet.PTS+packet.Duration)
		}
	}
	if timeless {
		// Only a decoder can tell.
		if p, err = probe(ctx, path, "frame=best_effort_timestamp"); err != nil {
			return nil, err
		}
		ticks = nil
		for _, frame := range p.Frames {
			if frame.PTS != nil {
				ticks = append(ticks, *frame.PTS)
			}
		}
	}
	slices.Sort(ticks)
	for _, t := range slices.Compact(ticks) {
		i.Times = append(i.Times, float64(t)*i.TimeBase-i.zero)
	}
	// Containers round their duration.
	if shown := float64(end)*i.TimeBase - i.zero; i.Duration <= 0 || math.Abs(i.Duration-shown) < 0.002 {
		i.Duration = shown
	}
	i.size(s.Width, s.Height, s.Aspect)
	if turned := rotation(s.Side, s.Tags["rotate"]); turned%180 != 0 {
		i.Width, i.Height = i.Height, i.Width
	}
	i.Alpha = strings.HasPrefix(s.Pixels, "yuva") || slices.Contains([]string{"rgba", "bgra", "argb", "abgr", "gbrap", "rgba64be", "rgba64le", "ya8", "pal8"}, s.Pixels) ||
		strings.HasPrefix(s.Pixels, "gbrap")
	if decoder := map[string]string{"vp8": "libvpx", "vp9": "libvpx-vp9"}[s.Codec]; decoder != "" && (s.Tags["alpha_mode"] == "1" || s.Tags["ALPHA_MODE"] == "1") {
		i.Alpha, i.decoder = true, decoder // ffmpeg's own decoders do not see it
	}
	i.pixels, i.matrix, i.full = s.Pixels, matrix(s.Matrix, s.Height), s.Range == "pc"
	return i, nil
}

func probe(ctx context.Context, path, entries string) (p probed, err error) {
	ffprobe, err := ffmpeg.FindProbe()
	if err != nil {
		return p, err
	}
	args := append([]string{"-v", "error"}, input...)
	args = append(args, "-select_streams", "v:0", "-of", "json", "-show_entries",
		"format=start_time,duration:stream=codec_name,width,height,pix_fmt,sample_aspect_ratio,time_base,color_space,color_range:stream_disposition=attached_pic:stream_tags:stream_side_data=rotation:"+entries, "file:"+path)
	var out bytes.Buffer
	cmd := exec.Command(ffprobe, args...)
	cmd.Stdout = &out
	running, err := process.Start(cmd)
	if err != nil {
		return p, fmt.Errorf("starting %s: %w", ffprobe, err)
	}
	defer context.AfterFunc(ctx, running.Kill)()
	err = running.Wait()
	switch {
	case ctx.Err() != nil:
		return p, context.Cause(ctx)
	case err != nil && running.Killed():
		return p, fault.Transientf("ffprobe was killed")
	case err != nil:
		return p, fault.Userf("ffmpeg cannot read it: %s", strings.TrimPrefix(running.LastLine(), "file:"+path+": "))
	}
	if err := json.Unmarshal(out.Bytes(), &p); err != nil {
		return p, fmt.Errorf("reading what ffprobe says: %w", err)
	}
	return p, nil
}

// size makes pixels square, by making the picture larger.
func (i *Info) size(width, height int, aspect string) {
	i.Width, i.Height = width, height
	across, down, ok := strings.Cut(aspect, ":")
	a, _ := strconv.ParseFloat(across, 64)
	d, _ := strconv.ParseFloat(down, 64)
	switch {
	case !ok || a <= 0 || d <= 0:
	case a > d:
		i.Width = int(math.Round(float64(width) * a / d))
	case a < d:
		i.Height = int(math.Round(float64(height) * d / a))
	}
}

func rotation(side []struct{ Rotation float64 }, tag string) int {
	for _, s := range side {
		if s.Rotation != 0 {
			return int(s.Rotation)
		}
	}
	turned, _ := strconv.Atoi(tag)
	return turned
}

// matrix is how the colours of a video were computed. What a file does not tell browsers guess by the size.
func matrix(named string, height int) string {
	switch named {
	case "bt709", "bt470bg", "smpte170m", "smpte240m", "fcc":
		return named
	case "bt2020nc", "bt2020c", "bt2020_ncl", "bt2020_cl":
		return "bt2020"
	}
	if height < 720 {
		return "bt601"
	}
	return "bt709"
}
