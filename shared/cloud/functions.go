package cloud

// Plan plans jobs, starts those that are asked for below requests/, and writes down what failed. It opens no page.
//
// These are functions, not variables, so that a program holds no more than it does.
func Plan() Function {
	return Function{"plan": planJob, "failure": recordFailure, "request-error": writeRequestError, objectCreated: trigger}
}

// Chunk opens pages.
func Chunk() Function {
	return Function{"inspect": inspect, "render": renderPartition, "audio": mixAudio, "assemble": assemble}
}

// Merge writes outputs, and reports.
func Merge() Function { return Function{"merge": merge, "completed": completed, "failed": failed} }
