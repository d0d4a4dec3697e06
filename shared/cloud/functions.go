package cloud

// The three functions are Go functions and not variables, so that the linker drops the code of the other two. Only
// the binary of the chunk function contains the code that opens pages.

// Plan returns the actions that plan jobs, start renders for documents below requests/, and record failures.
func Plan() Function {
	return Function{
		"plan":          planJob,
		"failure":       recordFailure,
		"request-error": writeRequestError,
		objectCreated:   trigger,
	}
}

// Chunk returns the actions that need Chromium or ffmpeg.
func Chunk() Function {
	return Function{"inspect": inspect, "render": renderPartition, "audio": mixAudio, "assemble": assemble}
}

// Merge returns the actions that write the output and report the end of a render.
func Merge() Function { return Function{"merge": merge, "completed": completed, "failed": failed} }
