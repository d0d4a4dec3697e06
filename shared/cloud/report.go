package cloud

// Report is what a job took. It stands beside the job's other documents as report.json.
type Report struct {
	Status    string `json:"status"`
	JobID     string `json:"jobId"`
	Execution string `json:"execution"`
	Frames    int64  `json:"frames"`
	// Partitions is their number, Attempts how often the chunk function was called for them.
	Partitions int `json:"partitions"`
	Attempts   int `json:"attempts"`
	// WallSeconds is the time from the beginning of the execution to this report.
	WallSeconds float64 `json:"wallSeconds"`
	// Functions are the three, by name.
	Functions map[string]FunctionUsage `json:"functions"`
	// Puts and Gets are the requests to S3 that the functions made, by price.
	Puts int64 `json:"puts"`
	Gets int64 `json:"gets"`
	// Transitions are those that the state machine makes for a job that nothing had to be repeated of, and one
	// for each attempt more.
	Transitions int `json:"transitions"`
	// Cost is in US dollars, by Prices.
	Cost   Cost   `json:"cost"`
	Prices Prices `json:"prices"`
}

// FunctionUsage is what the calls of a function took.
type FunctionUsage struct {
	Calls int `json:"calls"`
	// Milliseconds is what is billed, as they saw it themselves: each call's time, and of the first call in an
	// environment that in which the program started.
	Milliseconds int64 `json:"billedMs"`
	MemoryMB     int64 `json:"memoryMB"`
	// UsedMB is the most that one of them used.
	UsedMB int64 `json:"usedMB"`
}

const (
	// statesOfJob are the states that an execution enters, with or without sound, and statesOfPartition those of
	// a child of the map, with its start.
	statesOfJob       = 12
	statesOfPartition = 2
)

// reportOf adds up what a job took. The call that writes the report is not in the listing.
func reportOf(list []Object, planned Planned, self Usage, prices Prices) *Report {
	r := &Report{
		JobID: planned.JobID, Frames: planned.Frames, Partitions: planned.Partitions,
		Functions: map[string]FunctionUsage{}, Prices: prices,
	}
	usage := []Usage{self}
	for _, h := range latestUsage(list) {
		usage = append(usage, h.Usage)
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
