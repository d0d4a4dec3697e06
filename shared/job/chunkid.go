package job

import (
	"fmt"
	"strconv"
	"strings"
)

// ChunkID identifies a chunk by its job and partition. Every chunk contains its id.
type ChunkID struct {
	// Job is the id of the job.
	Job string `json:"job"`
	// Partition counts from 0.
	Partition int `json:"partition"`
	// Partitions is the number of partitions of the job.
	Partitions int `json:"partitions"`
}

// String returns the id in the notation of commands: JOB:PARTITION/PARTITIONS.
func (c ChunkID) String() string {
	return fmt.Sprintf("%s:%d/%d", c.Job, c.Partition, c.Partitions)
}

// ParseChunkID parses the result of [ChunkID.String].
func ParseChunkID(text string) (ChunkID, error) {
	id, of, ok := strings.Cut(text, ":")
	partition, partitions, okOf := strings.Cut(of, "/")
	p, errP := strconv.Atoi(partition)
	n, errN := strconv.Atoi(partitions)
	if !ok || !okOf || id == "" || errP != nil || errN != nil || p < 0 || p >= n {
		return ChunkID{}, Errorf("", "%q is not a chunk id; use JOB:0/8, as in the commands of a job spec", text)
	}
	return ChunkID{Job: id, Partition: p, Partitions: n}, nil
}
