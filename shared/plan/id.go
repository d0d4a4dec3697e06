package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"

	"helios/shared/job"
)

// jobID derives the id from all that decides which chunks a job leaves behind, so that a second run finds
// the work of the first, and only work of its own.
func jobID(c job.Config, tracks []job.Track, partitions int, files map[string]string, revision string) string {
	config, err := json.Marshal(c)
	if err != nil {
		panic(err) // c is valid, and a valid config is JSON
	}
	digests, err := json.Marshal(files)
	if err != nil {
		panic(err) // strings are JSON
	}
	sound, err := json.Marshal(tracks)
	if err != nil {
		panic(err) // numbers that are not finite were refused
	}
	h := sha256.New()
	for _, part := range []string{strconv.Itoa(job.Version), string(config), string(sound), strconv.Itoa(partitions), string(digests)} {
		io.WriteString(h, part)
		// No part contains a NUL, so that no two lists of parts give the same bytes.
		h.Write([]byte{0})
	}
	io.WriteString(h, revision)
	return hex.EncodeToString(h.Sum(nil)[:16])
}
