package audio

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"helios/shared/fault"
)

// codec is an encoder of ffmpeg.
type codec struct {
	bitrate    int64 // by default; 0 where nothing is lost
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

// formats are the names that ffmpeg has for containers.
var formats = map[string]string{
	"m4a": "ipod", "mp4": "mp4", "mov": "mov", "opus": "opus", "webm": "webm", "mp3": "mp3", "wav": "wav", "flac": "flac",
}

// Codecs returns the names of the encoders that there are.
func Codecs() []string { return slices.Sorted(maps.Keys(codecs)) }

// Containers returns the kinds of files, as suffixes without the dot, that can hold what a codec makes. The first is
// that of sound alone. There are none if the codec is unknown.
func Containers(name string) []string { return slices.Clone(codecs[name].containers) }

// CodecOf returns the codec that a kind of file, a suffix without the dot, usually holds; "" for one that is none
// of sound alone.
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
		return fault.Userf("the audio codec %q is none of %s", name, strings.Join(Codecs(), ", "))
	}
	if container != "" && !slices.Contains(c.containers, container) {
		return fault.Userf("%s cannot be in a .%s file; use one of .%s", name, container, strings.Join(c.containers, ", ."))
	}
	return nil
}

// arguments are those of ffmpeg that encode raw samples from its standard input.
func (o *Options) arguments(out string) []string {
	c := codecs[o.Codec]
	container := o.Container
	if container == "" {
		container = c.containers[0]
	}
	// Without -xerror ffmpeg would call it a success that the end of the file found no space on the disk.
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
		// A tick a sample: edit lists count in ticks of the movie, and in thousandths they would round the end.
		args = append(args, "-movie_timescale", strconv.Itoa(Rate), "-strict", "experimental")
	}
	// No dates and no versions of the muxer: the same samples give the same bytes.
	return append(args, "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact",
		"-f", formats[container], "file:"+out)
}

// rawFormat says what raw samples are.
var rawFormat = []string{"-f", "f32le", "-ar", strconv.Itoa(Rate), "-ac", strconv.Itoa(Channels)}
