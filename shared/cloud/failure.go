package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// FailureEvent asks the plan function to record why a partition failed.
type FailureEvent struct {
	Action    string        `json:"action"` // "failure"
	JobID     string        `json:"jobId"`
	Partition PartitionItem `json:"partition"`
	Failure   StatesError   `json:"failure"`
}

// StatesError is an error as Step Functions represents it.
type StatesError struct {
	Error string `json:"Error"`
	// Cause is a JSON object if the error comes from a function.
	Cause string `json:"Cause"`
}

// message returns the function's error message if Cause contains one, and Cause otherwise.
func (e StatesError) message() string {
	var cause struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(e.Cause), &cause) == nil && cause.Message != "" {
		return cause.Message
	}
	return e.Cause
}

// Failure records why a partition failed. It is stored at [JobKeys.Failure].
type Failure struct {
	// Unit is the unit of work, as in [Usage].
	Unit    string `json:"unit"`
	Error   string `json:"error"` // such as Helios.User
	Message string `json:"message"`
	// Log is the log of the last attempt.
	Log  Log       `json:"log"`
	Time time.Time `json:"time"`
}

func recordFailure(ctx context.Context, c *Call, event json.RawMessage) (any, error) {
	e, err := decode[FailureEvent](event)
	if err != nil {
		return nil, err
	}
	unit := PartitionUnit(e.Partition.ID)
	f := Failure{Unit: unit, Error: e.Failure.Error, Message: e.Failure.message(), Time: time.Now().UTC()}
	if f.Log, err = c.lastLog(ctx, e.JobID, unit); err != nil {
		return nil, err
	}
	// If the function was killed, the message comes from Lambda and does not name the partition.
	if !strings.Contains(f.Message, fmt.Sprintf("partition %d", e.Partition.ID)) {
		f.Message = fmt.Sprintf("%s: %s", e.Partition, f.Message)
	}
	return f, c.Bucket.PutJSON(ctx, Job(e.JobID).Failure(unit), f)
}

// lastLog returns the log of the last attempt at a unit of work. It returns the zero Log if there was no attempt.
func (c *Call) lastLog(ctx context.Context, jobID, unit string) (log Log, err error) {
	list, err := c.Bucket.List(ctx, Job(jobID).Progress()+unit+".")
	if err != nil || len(list) == 0 {
		return Log{}, err
	}
	last := slices.MaxFunc(list, func(a, b Object) int { return a.Modified.Compare(b.Modified) })
	err = c.Bucket.GetJSON(ctx, last.Key, &log)
	return log, err
}

// maxFailures limits how many failures a report reads.
const maxFailures = 10

// failures returns up to maxFailures failures of the execution that started at since, in the order of the partitions.
// Older failures belong to earlier executions of the same job.
func (c *Call) failures(ctx context.Context, jobID string, since time.Time) ([]Failure, error) {
	list, err := c.Bucket.List(ctx, Job(jobID).Failures())
	if err != nil {
		return nil, err
	}
	since = since.Truncate(time.Second) // S3 reports whole seconds
	list = slices.DeleteFunc(list, func(o Object) bool { return o.Modified.Before(since) })
	var failures []Failure
	for _, o := range list[:min(len(list), maxFailures)] {
		f := Failure{Unit: strings.TrimSuffix(path.Base(o.Key), ".json")}
		if err := c.Bucket.GetJSON(ctx, o.Key, &f); err != nil {
			return nil, err
		}
		failures = append(failures, f)
	}
	return failures, nil
}
