// Package job holds the job spec: the JSON document that describes a whole render. The planner
// writes it and every runner reads it: the CLI, a CI matrix, GNU parallel, a Step Functions map.
//
// A spec splits a run of frames into partitions. Rendering a partition leaves a chunk behind, and
// merge stitches the chunks into the output. Frame n shows the composition at exactly n/fps seconds,
// whichever partition renders it.
//
// Each command is a complete line for sh -c, run in the folder of the job file. Machines read the
// fields and leave the commands alone.
//
// The package imports none of ours.
package job

// Version is the version of the spec that this package writes, and the newest that it reads.
const Version = 1

// MaxPartitions is the most partitions that a job can have: a Distributed Map of Step Functions runs no
// more at once.
const MaxPartitions = 10_000

// Spec describes a whole render.
type Spec struct {
	// Version is the version of the document's format: [Version].
	Version int `json:"version"`
	// JobID names the render. The same composition with the same options has the same id, so a
	// runner finds the work of an earlier run.
	JobID  string `json:"jobId"`
	Config Config `json:"config"`
	// Partitions are 1 to [MaxPartitions], in the order of their frames.
	Partitions []Partition `json:"partitions"`
	// Audio is the sound of the output; nil when it is silent.
	Audio *Audio `json:"audio,omitempty"`
	Merge Merge  `json:"merge"`
	// Files are what a local composition consists of: the path in its folder of each file that the
	// planner saw the page load, with the SHA-256 of its bytes in hexadecimal. A runner that finds other
	// bytes refuses to render a part of something else.
	Files map[string]string `json:"files,omitempty"`
}

// Partition is a run of frames planned as one unit of work.
type Partition struct {
	// ID counts from 0 in the order of the frames.
	ID int `json:"id"`
	// StartFrame is the partition's first frame, counted from the start of the composition.
	StartFrame int64 `json:"startFrame"`
	// FrameCount is at least 1.
	FrameCount int64 `json:"frameCount"`
	// OutputFile is the chunk that rendering the partition leaves behind: a path inside the job
	// file's folder, with slashes.
	OutputFile string `json:"outputFile"`
	// Command renders the partition.
	Command string `json:"command"`
}

// Merge describes how the chunks become the output.
type Merge struct {
	// Inputs are the chunks in the order of their frames.
	Inputs []string `json:"inputs"`
	// Audio is the encoded sound, "" for none.
	Audio string `json:"audio,omitempty"`
	// Output is the video: the same as in the config.
	Output string `json:"output"`
	// Command stitches the inputs into the output.
	Command string `json:"command"`
}
