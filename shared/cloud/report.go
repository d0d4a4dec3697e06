package cloud

// Report describes the resource usage and the cost of a job. It is stored at [JobKeys.Report].
type Report struct {
	Status    string `json:"status"` // "completed" or "failed"
	JobID     string `json:"jobId"`
	Execution string `json:"execution"` // ARN
	Frames    int64  `json:"frames"`
	// Partitions is the number of partitions, Attempts the number of calls that rendered them.
	Partitions int `json:"partitions"`
	Attempts   int `json:"attempts"`
	// WallSeconds is the time from the start of the execution to this report.
	WallSeconds float64 `json:"wallSeconds"`
	// Functions contains the usage of plan, chunk and merge.
	Functions map[string]FunctionUsage `json:"functions"`
	// Puts and Gets are the S3 requests of the functions, by price class. Requests for the page's files do not count.
	Puts int64 `json:"puts"`
	Gets int64 `json:"gets"`
	// Transitions is an estimate: the transitions of a job without retries, and one per retried partition.
	Transitions int `json:"transitions"`
	// Cost is calculated with Prices.
	Cost   Cost   `json:"cost"`
	Prices Prices `json:"prices"`
}

// FunctionUsage is the usage of all calls of a function.
type FunctionUsage struct {
	Calls int `json:"calls"`
	// Milliseconds is the billed time as the function measures it: the duration of each call, and the initialization
	// of each environment.
	Milliseconds int64 `json:"billedMs"`
	MemoryMB     int64 `json:"memoryMB"`
	// UsedMB is the highest memory use of any call.
	UsedMB int64 `json:"usedMB"`
}

const (
	// statesOfJob is the number of states that an execution enters, with or without sound.
	statesOfJob = 12
	// statesOfPartition is one state that a child execution of the map enters, and one transition for its start.
	statesOfPartition = 2
)

// reportOf computes the report of a job from its progress objects and from self, the usage of the call that writes the
// report.
func reportOf(list []Object, planned Planned, self Usage, prices Prices) *Report {
	r := &Report{
		JobID: planned.JobID, Frames: planned.Frames, Partitions: planned.Partitions,
		Functions: map[string]FunctionUsage{}, Prices: prices,
	}
	usage := []Usage{self}
	for _, u := range latestUsage(list) {
		usage = append(usage, u.Usage)
	}
	for _, u := range usage {
		f := r.Functions[u.Function()]
		f.Calls++
		f.Milliseconds += u.Milliseconds
		f.MemoryMB = max(f.MemoryMB, u.MemoryMB)
		f.UsedMB = max(f.UsedMB, u.UsedMB)
		r.Functions[u.Function()] = f
		r.Puts += u.Puts
		r.Gets += u.Gets
		if _, ok := u.Partition(); ok {
			r.Attempts++
		}
	}
	r.Transitions = statesOfJob + statesOfPartition*planned.Partitions + max(0, r.Attempts-planned.Partitions)
	if planned.NeedsAssembly {
		r.Transitions++
	}
	r.Cost = prices.cost(usage, r.Transitions)
	return r
}
