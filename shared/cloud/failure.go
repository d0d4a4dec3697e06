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

// FailureEvent asks the plan function to write down why a partition failed.
type FailureEvent struct {
	Action    string        `json:"action"` // "failure"
	JobID     string        `json:"jobId"`
	Partition PartitionItem `json:"partition"`
	Failure   StatesError   `json:"failure"`
}

// StatesError is how Step Functions describes an error. The cause of that of a function is JSON itself.
type StatesError struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// message returns what a function said, or the cause as it is.
func (e StatesError) message() string {
	var said struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(e.Cause), &said) == nil && said.Message != "" {
		return said.Message
	}
	return e.Cause
}

// Failure says why a partition failed, and where its log is. It is a document of the job.
type Failure struct {
	// Unit is that of the [Usage]: a partition, or what else failed.
	Unit    string    `json:"unit"`
	Error   string    `json:"error"`
	Message string    `json:"message"`
	Log     Log       `json:"log"`
	Time    time.Time `json:"time"`
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
	// What a function could not say itself, such as that it was killed, does not name the partition.
	if name := fmt.Sprintf("partition %d", e.Partition.ID); !strings.Contains(f.Message, name) {
		f.Message = fmt.Sprintf("%s (frames %d to %d): %s", name, e.Partition.StartFrame, e.Partition.StartFrame+e.Partition.FrameCount-1, f.Message)
	}
	return f, c.Bucket.PutJSON(ctx, Job(e.JobID).Failure(unit), f)
}

// lastLog finds the log of the last attempt at a unit of work.
func (c *Call) lastLog(ctx context.Context, jobID, unit string) (log Log, err error) {
	list, err := c.Bucket.List(ctx, Job(jobID).Progress()+unit+".")
	if err != nil || len(list) == 0 {
		return Log{}, err
	}
	last := slices.MaxFunc(list, func(a, b Object) int { return a.Modified.Compare(b.Modified) })
	return log, c.Bucket.GetJSON(ctx, last.Key, &log)
}

// failures reads what was written down since an execution began, in the order of the partitions: the first few,
// which say enough. What failed in an earlier execution of the same job may have been mended.
func (c *Call) failures(ctx context.Context, jobID string, since time.Time) ([]Failure, error) {
	list, err := c.Bucket.List(ctx, Job(jobID).Failures())
	if err != nil {
		return nil, err
	}
	since = since.Truncate(time.Second) // as S3 tells the time
	list = slices.DeleteFunc(list, func(o Object) bool { return o.Modified.Before(since) })
	var failures []Failure
	for _, o := range list[:min(len(list), 10)] {
		f := Failure{Unit: strings.TrimSuffix(path.Base(o.Key), ".json")}
		if err := c.Bucket.GetJSON(ctx, o.Key, &f); err != nil {
			return nil, err
		}
		failures = append(failures, f)
	}
	return failures, nil
}
