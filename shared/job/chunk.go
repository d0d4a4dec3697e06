package job

import (
	"fmt"
	"strconv"
	"strings"
)

// ChunkID says which part of which job a chunk is. Chunks carry it, so that merge knows when one is
// missing and a runner when one is done.
type ChunkID struct {
	// Job is the id of the job.
	Job string `json:"job"`
	// Partition counts from 0, Partitions is their number.
	Partition  int `json:"partition"`
	Partitions int `json:"partitions"`
}

// String writes the id as on the command line: JOB:PARTITION/PARTITIONS.
func (c ChunkID) String() string {
	return fmt.Sprintf("%s:%d/%d", c.Job, c.Partition, c.Partitions)
}

// ParseChunkID reads what [ChunkID.String] wrote.
func ParseChunkID(text string) (ChunkID, error) {
	id, of, ok := strings.Cut(text, ":")
	partition, partitions, okOf := strings.Cut(of, "/")
	p, errP := strconv.Atoi(partition)
	n, errN := strconv.Atoi(partitions)
	if !ok || !okOf || id == "" || errP != nil || errN != nil || p < 0 || p >= n {
		return ChunkID{}, Errorf("", "%q is not the id of a chunk; it looks like JOB:0/8, as in the commands of a job spec", text)
	}
	return ChunkID{Job: id, Partition: p, Partitions: n}, nil
}
