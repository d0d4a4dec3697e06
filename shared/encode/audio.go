package encode

import (
	"maps"
	"slices"
	"strings"

	"helios/shared/fault"
	"helios/shared/job"
)

// audioCodecs are the encoders of sound and the formats that players expect it in.
var audioCodecs = map[string][]job.Format{
	"aac":        {job.MP4, job.MOV},
	"flac":       {job.MP4},
	"libmp3lame": {job.MP4, job.MOV},
	"libopus":    {job.MP4, job.WebM},
	"pcm_s16le":  {job.MOV},
	"pcm_s24le":  {job.MOV},
}

// AudioCodecs returns the names of the encoders of sound.
func AudioCodecs() []string { return slices.Sorted(maps.Keys(audioCodecs)) }

// AudioCodecsOf returns the names of the encoders of sound that a format can hold.
func AudioCodecsOf(f job.Format) []string {
	return slices.DeleteFunc(AudioCodecs(), func(name string) bool { return !slices.Contains(audioCodecs[name], f) })
}

// checkAudio refuses sound that does not fit the format. What has no sound takes any.
func checkAudio(c job.Config) error {
	formats, ok := audioCodecs[c.AudioCodec]
	if !ok {
		return fault.Userf("the audio codec %q is none of %s", c.AudioCodec, strings.Join(AudioCodecs(), ", "))
	}
	if c.Format.Video() && !slices.Contains(formats, c.Format) {
		return fault.Userf("%s cannot stand in %s; use %s", c.AudioCodec, c.Format, strings.Join(AudioCodecsOf(c.Format), ", "))
	}
	return nil
}
