package encode

import (
	"slices"
	"strings"

	"helios/shared/audio"
	"helios/shared/fault"
	"helios/shared/job"
)

// AudioCodecsOf returns the names of the encoders of sound that a format can hold.
func AudioCodecsOf(f job.Format) []string {
	return slices.DeleteFunc(audio.Codecs(), func(name string) bool { return !slices.Contains(audio.Containers(name), string(f)) })
}

// checkAudio refuses sound that does not fit the format. What has no sound takes any.
func checkAudio(c job.Config) error {
	if all := audio.Codecs(); !slices.Contains(all, c.AudioCodec) {
		return fault.Userf("the audio codec %q is none of %s", c.AudioCodec, strings.Join(all, ", "))
	}
	if c.Format.Video() && !slices.Contains(AudioCodecsOf(c.Format), c.AudioCodec) {
		return fault.Userf("%s cannot stand in %s; use %s", c.AudioCodec, c.Format, strings.Join(AudioCodecsOf(c.Format), ", "))
	}
	return nil
}
