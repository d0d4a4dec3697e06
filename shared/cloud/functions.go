package cloud

// The functions.
var (
	// Plan plans jobs and starts those that are asked for below requests/. It opens no page.
	Plan = Function{"plan": planJob, "failure": recordFailure, "refuse": refuse, objectCreated: trigger}
	// Chunk opens pages.
	Chunk = Function{"inspect": inspect, "render": renderPartition, "audio": mixAudio, "gather": gather}
	// Merge writes outputs, and reports.
	Merge = Function{"merge": merge, "completed": completed, "failed": failed}
)
