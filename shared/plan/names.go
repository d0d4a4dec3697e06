package plan

import (
	"fmt"
	"path"
	"strings"

	"helios/shared/job"
)

// chunkDigits is the number of digits of a partition's id in a file name. It is enough for [job.MaxPartitions].
const chunkDigits = 4

// chunkAffixes returns the parts of a chunk's name before and after the partition's id. Chunks are in the folder of the
// job file, even if the output is in another.
func chunkAffixes(c *job.Config) (prefix, suffix string) {
	base := path.Base(c.Output)
	suffix = path.Ext(base)
	prefix = strings.TrimSuffix(base, suffix) + "."
	if !c.Format.Video() {
		suffix = ".mov"
	}
	return prefix, suffix
}

// chunkName returns the name of a partition's chunk: intro.0007.mp4 for intro.mp4.
func chunkName(c *job.Config, id int) string {
	prefix, suffix := chunkAffixes(c)
	return fmt.Sprintf("%s%0*d%s", prefix, chunkDigits, id, suffix)
}

// audioName returns the name of the encoded sound: intro.audio.m4a for intro.mp4.
func audioName(c *job.Config) string {
	prefix, _ := chunkAffixes(c)
	return prefix + "audio" + audioSuffix(c.Format, c.AudioCodec)
}

// audioSuffix returns the suffix of a sound file that can be merged into a format.
func audioSuffix(f job.Format, audioCodec string) string {
	switch {
	case f == job.WebM:
		return ".webm"
	case audioCodec == "aac":
		return ".m4a"
	case strings.HasPrefix(audioCodec, "pcm_"):
		return ".mov"
	}
	return ".mp4"
}
