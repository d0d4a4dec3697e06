// Package video reads single frames of video files with ffmpeg.
//
// # Information
//
// [Probe] returns the [Info] of a file: its size, its duration and the time of each frame.
//
// # Frames
//
// A [Reader] returns the frames of one file by their index in Info.Times. It runs one ffmpeg, which starts to decode at
// the last key frame before the first requested frame. So a partition in the middle of a long video does not decode the
// video from its start. Reading frames in order is cheap. Going back or far ahead restarts ffmpeg.
//
// # Untrusted files
//
// Video files are untrusted. ffmpeg accepts media formats only. It rejects playlists, which could contain the paths of
// other files.
package video

import (
	"context"
	"math"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"helios/shared/fault"
)

// Info describes a video file. Times are in seconds from the start of playback in a browser.
type Info struct {
	// Duration is the length of the file, including its sound, or 0 if it is unknown.
	Duration float64
	// Times contains the presentation time of each frame, in display order. It is empty for a file without video.
	Times []float64
	// TimeBase is the unit of time in the file, in seconds.
	TimeBase float64
	// Width and Height are the size of the frames, after rotation and with square pixels.
	Width, Height int
	// Alpha reports whether frames can be transparent.
	Alpha bool

	zero        float64 // the time in the file at which playback starts, in seconds
	start       float64 // the time in the file to which ffmpeg's -ss option is relative, in seconds
	decoder     string  // the name of the decoder, or empty for ffmpeg's default
	pixelFormat string  // in ffmpeg's notation
	matrix      string  // the colour matrix, in the notation of ffmpeg's colorspace filter
	fullRange   bool    // whether the colours have the full range
}

// fileVersion identifies a version of a file. It is the key of cache.
type fileVersion struct {
	path     string
	size     int64
	modified time.Time
}

// cache contains the result of Probe for each file, because every page that contains a video probes it.
var cache sync.Map

// Probe returns the description of a file. Callers must not change it. If ffmpeg cannot read the file, the error is a
// fault.User.
func Probe(ctx context.Context, path string) (*Info, error) {
	file, err := os.Stat(path)
	if err != nil {
		return probe(ctx, path) // returns the same error as for any unreadable file
	}
	key := fileVersion{path, file.Size(), file.ModTime()}
	if i, ok := cache.Load(key); ok {
		return i.(*Info), nil
	}
	i, err := probe(ctx, path)
	if err == nil {
		cache.Store(key, i)
	}
	return i, err
}

func probe(ctx context.Context, path string) (*Info, error) {
	out, err := ffprobe(ctx, path, "packet=pts,duration,flags")
	if err != nil {
		return nil, err
	}
	i := &Info{}
	start, _ := strconv.ParseFloat(out.Format.Start, 64)
	// The start is negative if the audio has priming samples. Browsers do not play them.
	i.start, i.zero = start, max(0, start)
	i.Duration, _ = strconv.ParseFloat(out.Format.Duration, 64)
	i.Duration += min(0, start)
	if len(out.Streams) == 0 || out.Streams[0].Disposition.AttachedPicture != 0 {
		return i, nil // no video
	}
	s := out.Streams[0]
	base, ok := new(big.Rat).SetString(s.TimeBase)
	if !ok || s.Width == 0 || s.Height == 0 {
		return nil, fault.Userf("ffprobe reports no frame size or no time base")
	}
	i.TimeBase, _ = base.Float64()
	times, end, err := frameTimes(ctx, path, out)
	if err != nil {
		return nil, err
	}
	for _, t := range times {
		i.Times = append(i.Times, float64(t)*i.TimeBase-i.zero)
	}
	// Containers round the duration. The end of the last frame is exact.
	if shown := float64(end)*i.TimeBase - i.zero; i.Duration <= 0 || math.Abs(i.Duration-shown) < 0.002 {
		i.Duration = shown
	}
	i.setSize(s.Width, s.Height, s.AspectRatio)
	if rotation(s.SideData, s.Tags["rotate"])%180 != 0 {
		i.Width, i.Height = i.Height, i.Width
	}
	i.Alpha = hasAlpha(s.PixelFormat)
	if decoder := alphaDecoders[s.Codec]; decoder != "" && (s.Tags["alpha_mode"] == "1" || s.Tags["ALPHA_MODE"] == "1") {
		i.Alpha, i.decoder = true, decoder
	}
	i.pixelFormat, i.matrix, i.fullRange = s.PixelFormat, matrix(s.Matrix, s.Height), s.Range == "pc"
	return i, nil
}

// frameTimes returns the times of the frames and the end of the last one, in units of the time base.
func frameTimes(ctx context.Context, path string, out ffprobeOutput) (times []int64, end int64, err error) {
	complete := true
	for _, packet := range out.Packets {
		switch {
		case strings.Contains(packet.Flags, "D"): // an edit list discards it
		case packet.PTS == nil:
			complete = false
		default:
			times = append(times, *packet.PTS)
			end = max(end, *packet.PTS+packet.Duration)
		}
	}
	if !complete {
		// Some formats, such as AVI, have no presentation times. ffprobe computes them by decoding.
		if out, err = ffprobe(ctx, path, "frame=best_effort_timestamp"); err != nil {
			return nil, 0, err
		}
		times = nil
		for _, frame := range out.Frames {
			if frame.PTS != nil {
				times = append(times, *frame.PTS)
			}
		}
	}
	slices.Sort(times)
	return slices.Compact(times), end, nil
}

// alphaDecoders maps codecs to decoders that support alpha. ffmpeg's default decoders of these codecs ignore it.
var alphaDecoders = map[string]string{"vp8": "libvpx", "vp9": "libvpx-vp9"}

var alphaFormats = []string{"rgba", "bgra", "argb", "abgr", "rgba64be", "rgba64le", "ya8", "pal8"}

func hasAlpha(pixelFormat string) bool {
	return strings.HasPrefix(pixelFormat, "yuva") || strings.HasPrefix(pixelFormat, "gbrap") ||
		slices.Contains(alphaFormats, pixelFormat)
}

// setSize sets the size of a frame with square pixels. If the pixels of the file are not square, it enlarges one
// dimension.
func (i *Info) setSize(width, height int, aspectRatio string) {
	i.Width, i.Height = width, height
	x, y, ok := strings.Cut(aspectRatio, ":")
	h, _ := strconv.ParseFloat(x, 64)
	v, _ := strconv.ParseFloat(y, 64)
	switch {
	case !ok || h <= 0 || v <= 0:
	case h > v:
		i.Width = int(math.Round(float64(width) * h / v))
	case h < v:
		i.Height = int(math.Round(float64(height) * v / h))
	}
}

// rotation returns the rotation in degrees: from the side data, or else from the tag of older files.
func rotation(sideData []sideData, tag string) int {
	for _, s := range sideData {
		if s.Rotation != 0 {
			return int(s.Rotation)
		}
	}
	degrees, _ := strconv.Atoi(tag)
	return degrees
}

// matrix returns the colour matrix in the notation of ffmpeg's filters. If the file does not specify it, it depends on
// the height, as in browsers.
func matrix(name string, height int) string {
	switch name {
	case "bt709", "bt470bg", "smpte170m", "smpte240m", "fcc":
		return name
	case "bt2020nc", "bt2020c", "bt2020_ncl", "bt2020_cl":
		return "bt2020"
	}
	if height < 720 {
		return "bt601"
	}
	return "bt709"
}
