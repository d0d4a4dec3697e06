package cloud

import (
	"fmt"
	"strconv"
	"strings"
)

// State says how far an attempt at a unit of work is.
type State string

const (
	Running State = "running"
	Done    State = "done"
	Kept    State = "kept" // an earlier attempt had done it
	Failed  State = "failed"
)

// Usage is what one attempt at a unit of work has done and used so far. The key of an empty-handed object tells
// it all, so that listing a prefix shows the whole job.
type Usage struct {
	// Unit is the [PartitionUnit] or one of the other units.
	Unit string `json:"unit"`
	// Attempt tells the attempts at a unit apart.
	Attempt string `json:"attempt"`
	State   State  `json:"state"`
	// Frames is how many are done.
	Frames int64 `json:"frames"`
	// Milliseconds is the time since the function was called, and that in which its program started if this is
	// its first call.
	Milliseconds int64 `json:"ms"`
	// MemoryMB is what the function has, UsedMB the most that it used.
	MemoryMB int64 `json:"memoryMB"`
	UsedMB   int64 `json:"usedMB"`
	// Puts and Gets are the requests to S3, by price.
	Puts int64 `json:"puts"`
	Gets int64 `json:"gets"`
}

// Log is where the log of an attempt is. It is what a progress object holds.
type Log struct {
	Group     string `json:"group"`
	Stream    string `json:"stream"`
	RequestID string `json:"requestId"`
	// Error is why the attempt failed.
	Error string `json:"error,omitempty"`
}

// Name returns the key's last part: 00007.8f3a0c21.running.f120.t5400.m4096.u900.p3.g20
func (u Usage) Name() string {
	return fmt.Sprintf("%s.%s.%s.f%d.t%d.m%d.u%d.p%d.g%d",
		u.Unit, u.Attempt, u.State, u.Frames, u.Milliseconds, u.MemoryMB, u.UsedMB, u.Puts, u.Gets)
}

// ParseUsage reads what [Usage.Name] wrote.
func ParseUsage(name string) (u Usage, ok bool) {
	part := strings.Split(name, ".")
	if len(part) != 9 {
		return Usage{}, false
	}
	u = Usage{Unit: part[0], Attempt: part[1], State: State(part[2])}
	for i, number := range []struct {
		letter string
		value  *int64
	}{{"f", &u.Frames}, {"t", &u.Milliseconds}, {"m", &u.MemoryMB}, {"u", &u.UsedMB}, {"p", &u.Puts}, {"g", &u.Gets}} {
		digits, is := strings.CutPrefix(part[3+i], number.letter)
		n, err := strconv.ParseInt(digits, 10, 64)
		if !is || err != nil || n < 0 {
			return Usage{}, false
		}
		*number.value = n
	}
	return u, u.Unit != ""
}

// Function returns the function that does a unit of work.
func (u Usage) Function() string {
	switch u.Unit {
	case UnitPlan:
		return "plan"
	case UnitMerge, UnitFinish:
		return "merge"
	}
	return "chunk"
}

// Partition returns the id of the partition, if the unit is one.
func (u Usage) Partition() (id int, ok bool) {
	id, err := strconv.Atoi(u.Unit)
	return id, err == nil
}
