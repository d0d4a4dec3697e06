package cloud

import (
	"fmt"
	"strconv"
	"strings"
)

// State is the state of an attempt at a unit of work.
type State string

const (
	Running State = "running"
	Done    State = "done"
	Kept    State = "kept" // the result of another attempt was kept
	Failed  State = "failed"
)

// done reports whether the unit of work has its result.
func (s State) done() bool { return s == Done || s == Kept }

// Usage is the progress and the resource usage of one attempt at a unit of work. The key of a progress object encodes
// all of it, so that a listing of [JobKeys.Progress] shows the whole job without reading any object.
type Usage struct {
	// Unit is the unit of work: a [PartitionUnit], or a constant such as [UnitMerge].
	Unit string `json:"unit"`
	// Attempt identifies the attempt.
	Attempt string `json:"attempt"`
	State   State  `json:"state"`
	Frames  int64  `json:"frames"` // rendered
	// Milliseconds is the time since the call started. In the first call of a process, it includes the initialization of
	// the process.
	Milliseconds int64 `json:"ms"`
	// MemoryMB is the memory of the function, UsedMB the peak use.
	MemoryMB int64 `json:"memoryMB"`
	UsedMB   int64 `json:"usedMB"`
	// Puts and Gets are the S3 requests, by price class.
	Puts int64 `json:"puts"`
	Gets int64 `json:"gets"`
}

// Log identifies the log of an attempt in CloudWatch Logs. It is the content of a progress object.
type Log struct {
	Group     string `json:"group"`
	Stream    string `json:"stream"`
	RequestID string `json:"requestId"`
	// Error is why the attempt failed.
	Error string `json:"error,omitempty"`
}

// Name encodes u as the last part of a key, such as 00007.8f3a0c21.running.f120.t5400.m4096.u900.p3.g20.
func (u Usage) Name() string {
	return fmt.Sprintf("%s.%s.%s.f%d.t%d.m%d.u%d.p%d.g%d",
		u.Unit, u.Attempt, u.State, u.Frames, u.Milliseconds, u.MemoryMB, u.UsedMB, u.Puts, u.Gets)
}

// ParseUsage decodes the result of [Usage.Name].
func ParseUsage(name string) (u Usage, ok bool) {
	part := strings.Split(name, ".")
	if len(part) != 9 {
		return Usage{}, false
	}
	u = Usage{Unit: part[0], Attempt: part[1], State: State(part[2])}
	numbers := []*int64{&u.Frames, &u.Milliseconds, &u.MemoryMB, &u.UsedMB, &u.Puts, &u.Gets}
	for i, value := range numbers {
		digits, found := strings.CutPrefix(part[3+i], "ftmupg"[i:i+1])
		n, err := strconv.ParseInt(digits, 10, 64)
		if !found || err != nil || n < 0 {
			return Usage{}, false
		}
		*value = n
	}
	return u, u.Unit != ""
}

// Function returns the name of the function that did the work.
func (u Usage) Function() string {
	switch u.Unit {
	case UnitPlan:
		return "plan"
	case UnitMerge, UnitFinish:
		return "merge"
	}
	return "chunk"
}

// Partition returns the id of the partition if the unit of work is one.
func (u Usage) Partition() (id int, ok bool) {
	id, err := strconv.Atoi(u.Unit)
	return id, err == nil
}
