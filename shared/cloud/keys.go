package cloud

import (
	"fmt"
	"strings"
)

// Prefixes in the bucket. Outputs may have any key that is not below the first three.
const (
	JobsPrefix     = "jobs/"     // documents and chunks of jobs; the bucket's lifecycle rule expires them
	RequestsPrefix = "requests/" // documents with requests; creating one starts a render
	SitesPrefix    = "sites/"    // uploaded compositions, named after their content
	RendersPrefix  = "renders/"  // outputs of requests that name no key
)

// JobKeys is the prefix of all keys of a job. Its methods return the keys.
type JobKeys string

// Job returns the keys of the job with an id.
func Job(id string) JobKeys { return JobKeys(JobsPrefix + id + "/") }

// Prefix is the prefix itself. Names of chunks in the job spec are relative to it.
func (k JobKeys) Prefix() string { return string(k) }

// Spec is the key of the job spec.
func (k JobKeys) Spec() string { return string(k) + "job.json" }

// Partitions is the key of an array of [PartitionItem], which the state machine's map reads.
func (k JobKeys) Partitions() string { return string(k) + "partitions.json" }

// Header is the key of the [JobHeader].
func (k JobKeys) Header() string { return string(k) + "header.json" }

// Report is the key of the [Report].
func (k JobKeys) Report() string { return string(k) + "report.json" }

// Progress is the prefix of the progress objects, see [Usage].
func (k JobKeys) Progress() string { return string(k) + "progress/" }

// Failures is the prefix of the [Failure] documents.
func (k JobKeys) Failures() string { return string(k) + "failures/" }

// Failure is the key of the [Failure] of a unit of work.
func (k JobKeys) Failure(unit string) string { return k.Failures() + unit + ".json" }

// Units of work other than partitions.
const (
	UnitInspect  = "inspect"
	UnitPlan     = "plan"
	UnitAudio    = "audio"
	UnitAssemble = "assemble"
	UnitMerge    = "merge"
	UnitFinish   = "finish"
)

// PartitionUnit returns the unit of work of a partition.
func PartitionUnit(id int) string { return fmt.Sprintf("%05d", id) }

// isReserved reports whether outputs must not be written to key.
func isReserved(key string) bool {
	for _, prefix := range []string{JobsPrefix, RequestsPrefix, SitesPrefix} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
