package job

// Version is the version of the specs that this package writes, and the newest version that it reads.
const Version = 1

// MaxPartitions is the maximum number of partitions of a job. It is the maximum number of concurrent child executions
// of a Distributed Map in Step Functions.
const MaxPartitions = 10_000

// Spec describes a render.
type Spec struct {
	// Version is the version of the document's format: [Version].
	Version int `json:"version"`
	// JobID identifies the render. The same composition with the same settings has the same id, so a runner finds the
	// chunks of an earlier run.
	JobID string `json:"jobId"`
	// Config contains the settings of all partitions.
	Config Config `json:"config"`
	// Partitions has 1 to [MaxPartitions] elements, in the order of their frames.
	Partitions []Partition `json:"partitions"`
	// Audio is the sound of the output; nil if it is silent.
	Audio *Audio `json:"audio,omitempty"`
	// Merge is the last step.
	Merge Merge `json:"merge"`
	// Files maps the path of each file that the page loaded to the SHA-256 of its content, in hexadecimal. Paths are
	// relative to the folder of a local composition. A runner fails if the content of a file is different.
	Files map[string]string `json:"files,omitempty"`
}

// Partition is a range of frames that is rendered as one unit of work.
type Partition struct {
	// ID counts from 0 in the order of the frames.
	ID int `json:"id"`
	// StartFrame is the partition's first frame, counted from the start of the composition.
	StartFrame int64 `json:"startFrame"`
	// FrameCount is at least 1.
	FrameCount int64 `json:"frameCount"`
	// OutputFile is the chunk: a path with slashes, inside the job file's folder.
	OutputFile string `json:"outputFile"`
	// Command renders the partition.
	Command string `json:"command"`
}

// Audio is the sound of the output. It is mixed once, for all partitions.
type Audio struct {
	// Tracks has at least one element.
	Tracks []Track `json:"tracks"`
	// OutputFile is the encoded sound: a path with slashes, inside the job file's folder.
	OutputFile string `json:"outputFile"`
	// Command mixes and encodes the sound.
	Command string `json:"command"`
}

// Merge describes how the chunks become the output.
type Merge struct {
	// Inputs are the chunks in the order of their frames.
	Inputs []string `json:"inputs"`
	// Audio is the encoded sound, or "".
	Audio string `json:"audio,omitempty"`
	// Output is the file to write, the same as in the config.
	Output string `json:"output"`
	// Command merges the inputs into the output.
	Command string `json:"command"`
}
