package render

import "time"

// EventType is the type of an event.
type EventType string

const (
	// JobPlanned is the first event. It contains the total number of frames.
	JobPlanned EventType = "job-planned"
	// PartitionStarted means that a worker started an attempt at a partition.
	PartitionStarted EventType = "partition-started"
	// FrameDone means that a frame was passed to the encoder.
	FrameDone EventType = "frame-done"
	// PartitionDone means that a chunk is complete.
	PartitionDone EventType = "partition-done"
	// PartitionKept means that the chunk of an earlier run is complete and was kept.
	PartitionKept EventType = "partition-kept"
	// PartitionFailed means that an attempt failed and the partition will be retried.
	PartitionFailed EventType = "partition-failed"
	// Warning contains a message for the user.
	Warning EventType = "warning"
	// MergeStarted precedes the merge.
	MergeStarted EventType = "merge-started"
	// OutputDone is the last event: the output is complete.
	OutputDone EventType = "output-done"
)

// Event reports the progress of a render.
type Event struct {
	Type EventType `json:"type"`
	Job  string    `json:"job,omitempty"`
	// Partition and Worker count from 0. They are -1 in events that concern neither.
	Partition int `json:"partition"`
	Worker    int `json:"worker"`
	// Frames is the number of frames of the partition, or of the job, that are done.
	Frames int64 `json:"frames,omitempty"`
	// Total is the number of frames of the partition or the job.
	Total int64 `json:"total,omitempty"`
	// Path is the path of the chunk or the output.
	Path string `json:"path,omitempty"`
	// Message is for the user.
	Message string `json:"message,omitempty"`
	// Elapsed is the time since the render started, in seconds.
	Elapsed float64 `json:"elapsed"`
}

func since(start time.Time) float64 { return float64(time.Since(start).Milliseconds()) / 1000 }
