package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"helios/shared/job"
)

// jobID returns a digest of all inputs that affect the chunks of a job. So a second run finds the chunks of the first
// one, but not those of other jobs.
func jobID(c job.Config, tracks []job.Track, partitions int, files map[string]string, revision string) string {
	h := sha256.New()
	for _, part := range []string{
		strconv.Itoa(job.Version), encode(c), encode(tracks), strconv.Itoa(partitions), encode(files),
	} {
		h.Write([]byte(part))
		// No part contains a NUL, so different lists of parts have different bytes.
		h.Write([]byte{0})
	}
	h.Write([]byte(revision))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// encode returns a validated value as JSON.
func encode(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(data)
}
