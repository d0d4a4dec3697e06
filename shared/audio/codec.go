package audio

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"helios/shared/fault"
)

// codec is an audio encoder of ffmpeg.
type codec struct {
	bitrate    int64 // the default; 0 for lossless codecs
	containers []string
}

var codecs = map[string]codec{
	"aac":        {192000, []string{"m4a", "mp4", "mov"}},
	"libopus":    {160000, []string{"opus", "webm", "mp4"}},
	"libmp3lame": {192000, []string{"mp3", "mp4", "mov"}},
	"pcm_s16le":  {0, []string{"wav", "mov"}},
	"pcm_s24le":  {0, []string{"wav", "mov"}},
	"flac":       {0, []string{"flac", "mp4"}},
}

// muxers are ffmpeg's names of containers.
var muxers = map[string]string{
	"m4a": "ipod", "mp4": "mp4", "mov": "mov", "opus": "opus",
	"webm": "webm", "mp3": "mp3", "wav": "wav", "flac": "flac",
}

// Codecs returns the names of the supported encoders.
func Codecs() []string { return slices.Sorted(maps.Keys(codecs)) }

// Containers returns the containers of a codec, as file suffixes without the dot. The first is an audio format. The
// result is nil if the codec is unknown.
func Containers(name string) []string { return slices.Clone(codecs[name].containers) }

// CodecOf returns the default codec of an audio format, given as a file suffix without the dot. It returns "" if the
// suffix is not that of an audio format.
func CodecOf(container string) string {
	for _, name := range Codecs() {
		if codecs[name].containers[0] == container {
			return name
		}
	}
	return ""
}

func checkCodec(name, container string) error {
	c, ok := codecs[name]
	if !ok {
		return fault.Userf("the audio codec %q is not supported; use %s", name, strings.Join(Codecs(), ", "))
	}
	if container != "" && !slices.Contains(c.containers, container) {
		return fault.Userf(".%s cannot contain %s; use .%s", container, name, strings.Join(c.containers, ", ."))
	}
	return nil
}

// arguments returns ffmpeg's arguments to encode raw samples from its standard input.
func (o *Options) arguments(out string) []string {
	c := codecs[o.Codec]
	container := o.Container
	if container == "" {
		container = c.containers[0]
	}
	// Without -xerror, ffmpeg exits with 0 if the disk is full when it closes the file.
	args := append([]string{"-xerror", "-y"}, rawFormat...)
	args = append(args, "-i", "pipe:0", "-c:a", o.Codec, "-threads", "1")
	if bitrate := o.Bitrate; c.bitrate != 0 {
		if bitrate == 0 {
			bitrate = c.bitrate
		}
		args = append(args, "-b:a", strconv.FormatInt(bitrate, 10))
	}
	switch container {
	case "m4a", "mp4", "mov":
		// The duration in the edit list is in ticks of the movie. With the default of 1/1000 s it would be rounded.
		args = append(args, "-movie_timescale", strconv.Itoa(Rate), "-strict", "experimental")
	}
	// Dates and versions of ffmpeg's libraries stay out, so that the same samples give the same bytes.
	return append(args, "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact",
		"-f", muxers[container], "file:"+out)
}

// rawFormat is ffmpeg's description of raw samples.
var rawFormat = []string{"-f", "f32le", "-ar", strconv.Itoa(Rate), "-ac", strconv.Itoa(Channels)}
