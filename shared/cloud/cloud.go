// Package cloud is what the functions on AWS Lambda have in common: what they are asked, what they answer, and
// where the documents of a job lie in the bucket.
//
// Every step is idempotent: the same input leads to the same keys and the same bytes, so that the state machine
// may repeat it. Only the chunk function opens pages.
package cloud

import (
	"fmt"
	"strings"
)

// The prefixes of the bucket. Outputs may go anywhere else.
const (
	JobsPrefix     = "jobs/"     // what jobs need while they run; it expires
	RequestsPrefix = "requests/" // requests that start a render when they are put there
	SitesPrefix    = "sites/"    // compositions that were uploaded, named after their content
	RendersPrefix  = "renders/"  // outputs that nobody named
)

// JobKeys is where the documents of a job lie.
type JobKeys string

// Job returns the keys of a job.
func Job(id string) JobKeys { return JobKeys(JobsPrefix + id + "/") }

// Prefix is that of the chunks, as the job spec names them, and of all the rest.
func (k JobKeys) Prefix() string { return string(k) }

// Spec is the job spec.
func (k JobKeys) Spec() string { return string(k) + "job.json" }

// Partitions is the array that the map of the state machine reads: the spec's partitions without commands.
func (k JobKeys) Partitions() string { return string(k) + "partitions.json" }

// Work is what all partitions have in common, a [Work]: a spec of 10,000 partitions takes a third of a second
// to read.
func (k JobKeys) Header() string { return string(k) + "header.json" }

// Report is the [Report].
func (k JobKeys) Report() string { return string(k) + "report.json" }

// Progress is the prefix of the keys that tell how far the job is.
func (k JobKeys) Progress() string { return string(k) + "progress/" }

// Failures is the prefix of the [Failure] documents.
func (k JobKeys) Failures() string { return string(k) + "failures/" }

// Failure is the document about a partition that failed, or about another unit of work.
func (k JobKeys) Failure(unit string) string { return k.Failures() + unit + ".json" }

// The units of work beside the partitions.
const (
	UnitInspect  = "inspect"
	UnitPlan     = "plan"
	UnitAudio    = "audio"
	UnitAssemble = "assemble"
	UnitMerge    = "merge"
	UnitFinish   = "finish"
)

// PartitionUnit returns the name of a partition as a unit of work.
func PartitionUnit(id int) string { return fmt.Sprintf("%05d", id) }

// reserved reports whether outputs must not go to a key.
func isReserved(key string) bool {
	for _, prefix := range []string{JobsPrefix, RequestsPrefix, SitesPrefix} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
