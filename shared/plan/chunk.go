package plan

import (
	"fmt"
	"path"
	"strings"

	"helios/shared/job"
)

// chunkDigits is the width of a partition's number in a file name: enough for [job.MaxPartitions].
const chunkDigits = 4

// chunkAffixes returns what stands before and after a partition's number in its chunk's name. Chunks lie
// beside the job file, wherever the output goes.
func chunkAffixes(c *job.Config) (prefix, suffix string) {
	base := path.Base(c.Output)
	suffix = path.Ext(base)
	prefix = strings.TrimSuffix(base, suffix) + "."
	if !c.Format.Video() {
		suffix = ".mov"
	}
	return prefix, suffix
}

// chunkName returns the chunk of a partition: intro.0007.mp4 for intro.mp4.
func chunkName(c *job.Config, id int) string {
	prefix, suffix := chunkAffixes(c)
	return fmt.Sprintf("%s%0*d%s", prefix, chunkDigits, id, suffix)
}

// audioName returns the encoded sound: intro.audio.m4a for intro.mp4.
func audioName(c *job.Config) string {
	prefix, _ := chunkAffixes(c)
	return prefix + "audio" + AudioSuffix(c.Format, c.AudioCodec)
}
