package render

import "time"

// EventType names what happened.
type EventType string

const (
	// JobPlanned comes first and tells how much is to be done.
	JobPlanned EventType = "job-planned"
	// PartitionStarted comes when a worker begins a partition, again after a retry.
	PartitionStarted EventType = "partition-started"
	// FrameDone comes after each frame.
	FrameDone EventType = "frame-done"
	// PartitionDone comes when a chunk is in place.
	PartitionDone EventType = "partition-done"
	// PartitionKept comes when the chunk of an earlier run is used.
	PartitionKept EventType = "partition-kept"
	// PartitionFailed comes when a partition is going to be tried again.
	PartitionFailed EventType = "partition-failed"
	// Warning is about something that a person should know.
	Warning EventType = "warning"
	// MergeStarted comes before the chunks are stitched.
	MergeStarted EventType = "merge-started"
	// OutputDone comes last: the output is in place.
	OutputDone EventType = "output-done"
)

// Event is something that happened during a render.
type Event struct {
	Type EventType `json:"type"`
	Job  string    `json:"job,omitempty"`
	// Partition, and Worker that does it, count from 0; they are -1 when the event is about neither.
	Partition int `json:"partition"`
	Worker    int `json:"worker"`
	// Frames is how many frames of the partition, or of the job, are done or were planned.
	Frames int64 `json:"frames,omitempty"`
	// Total is how many frames the partition, or the job, has.
	Total int64 `json:"total,omitempty"`
	// Path is the file that is in place.
	Path string `json:"path,omitempty"`
	// Message is for people.
	Message string `json:"message,omitempty"`
	// Elapsed is the time since the render began, in seconds.
	Elapsed float64 `json:"elapsed"`
}

func since(start time.Time) float64 { return float64(time.Since(start).Milliseconds()) / 1000 }
