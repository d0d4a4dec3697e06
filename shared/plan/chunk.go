package plan

import (
	"fmt"
	"path"
	"strings"
)

// chunkDigits is the width of a partition's number in a file name: enough for [job.MaxPartitions].
const chunkDigits = 4

// chunkAffixes returns what stands before and after a partition's number in its chunk's name. Chunks lie
// beside the job file, wherever the output goes.
func chunkAffixes(output string) (prefix, suffix string) {
	base := path.Base(output)
	suffix = path.Ext(base)
	return strings.TrimSuffix(base, suffix) + ".", suffix
}

// chunkName returns the chunk of a partition: intro.0007.mp4 for intro.mp4.
func chunkName(output string, id int) string {
	prefix, suffix := chunkAffixes(output)
	return fmt.Sprintf("%s%0*d%s", prefix, chunkDigits, id, suffix)
}
