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
func jobID(c job.Config, partitions int, fingerprint string) string {
	config, err := json.Marshal(c)
	if err != nil {
		panic(err) // c is valid, and a valid config is JSON
	}
	h := sha256.New()
	for _, part := range []string{strconv.Itoa(job.Version), string(config), strconv.Itoa(partitions), fingerprint} {
		io.WriteString(h, part)
		// No part contains a NUL but the last, so that no two lists of parts give the same bytes.
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
