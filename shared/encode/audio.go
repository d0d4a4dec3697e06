package encode

import (
	"slices"
	"strings"

	"helios/shared/audio"
	"helios/shared/fault"
	"helios/shared/job"
)

// AudioCodecsOf returns the names of the audio encoders whose output a format can contain.
func AudioCodecsOf(f job.Format) []string {
	return slices.DeleteFunc(audio.Codecs(), func(name string) bool {
		return !slices.Contains(audio.Containers(name), string(f))
	})
}

// checkAudio returns an error if the format cannot contain the audio codec. Formats without sound accept all codecs.
func checkAudio(c job.Config) error {
	if all := audio.Codecs(); !slices.Contains(all, c.AudioCodec) {
		return fault.Userf("the audio codec %q is not supported; use %s", c.AudioCodec, strings.Join(all, ", "))
	}
	if fitting := AudioCodecsOf(c.Format); c.Format.Video() && !slices.Contains(fitting, c.AudioCodec) {
		return fault.Userf("%s cannot contain %s; use %s", c.Format, c.AudioCodec, strings.Join(fitting, ", "))
	}
	return nil
}
