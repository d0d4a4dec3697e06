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

import "encoding/json"

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

// Config is what every partition of a job has in common. Nothing in it is left to be decided by a
// runner, so that all runners make the same frames.
type Config struct {
	// Input is the composition: an HTML file or a folder with an index.html, absolute or relative to
	// the job file, or a URL.
	Input string `json:"input"`
	// Output is the video that merge writes, absolute or relative to the job file.
	Output string `json:"output"`
	// Format is the kind of file that Output is.
	Format Format `json:"format"`
	// Width and Height are the size of the page in CSS pixels, 1 to 16384 each.
	Width  int `json:"width"`
	Height int `json:"height"`
	// Scale is how many pixels of a frame a CSS pixel takes in each direction, 0.5 to 8: Chromium has no smaller ones.
	Scale float64 `json:"scale"`
	// Transparent keeps what the page does not paint transparent.
	Transparent bool `json:"transparent,omitempty"`
	// FPS is the frame rate in frames a second, an exact fraction.
	FPS Rate `json:"fps"`
	// Duration is the length of the output. When the number of frames was given instead, it is
	// their [Length]; either way [Frames] of it is FrameCount.
	Duration Seconds `json:"duration"`
	// StartFrame is the first frame of the output, counted from the start of the composition.
	StartFrame int64 `json:"startFrame"`
	// FrameCount is the number of frames of the output, at least 1. The last of them ends within
	// [MaxLength] of the start of the composition.
	FrameCount int64 `json:"frameCount"`
	// VideoCodec and AudioCodec are names of ffmpeg's encoders.
	VideoCodec string `json:"videoCodec"`
	AudioCodec string `json:"audioCodec"`
	// Quality is what the encoder calls so, 0 to 100. For video it is the constant rate factor (CRF): lower
	// is better and bigger, and 0 is lossless for libx264. For JPEG and WebP higher is better.
	Quality int `json:"quality"`
	// Bitrate is the bits a second that the pictures shall take on average; 0 leaves it to Quality.
	Bitrate int64 `json:"bitrate,omitempty"`
	// GOP is the most frames from one key frame to the next; 0 is two seconds' worth.
	GOP int `json:"gop,omitempty"`
	// BitDepth is the bits of each colour of a pixel, 8 or 10; 0 is what the encoder usually has.
	BitDepth int `json:"bitDepth,omitempty"`
	// Loop is how often an animated picture is shown; 0 is for ever.
	Loop int `json:"loop,omitempty"`
	// Preset is the encoder's trade of speed against size, such as "veryfast".
	Preset string `json:"preset"`
	// AudioBitrate is the bits a second of the sound; 0 leaves it to the encoder.
	AudioBitrate int64 `json:"audioBitrate,omitempty"`
	// Loudness is the integrated loudness that the sound is brought to, in LUFS, -70 to -5; 0 leaves it as
	// it is.
	Loudness float64 `json:"loudness,omitempty"`
	// SeekMode is how a partition reaches its first frame.
	SeekMode SeekMode `json:"seekMode"`
	// Capture is the capture mode of all partitions.
	Capture Capture `json:"capture"`
	// Seed seeds Math.random in the page; every partition sees the same sequence.
	Seed uint32 `json:"seed"`
	// Props is the JSON object that the page finds in window.__HELIOS_PROPS__.
	Props json.RawMessage `json:"props,omitempty"`
	// AllowMissingAssets turns a missing image, font or script from an error into a warning.
	AllowMissingAssets bool `json:"allowMissingAssets,omitempty"`
	// Timeout is the longest that loading the page, or one frame of it, may take: at most an hour.
	Timeout Seconds `json:"timeout"`
}

// SeekMode is how a partition reaches its first frame.
type SeekMode string

const (
	// SeekReplay runs every earlier frame without capturing it. It is correct for every page.
	SeekReplay SeekMode = "replay"
	// SeekDirect moves the page's clock to the first frame at once. It is correct for seekable pages: those whose
	// frames depend only on the time.
	SeekDirect SeekMode = "direct"
	// SeekAuto leaves the mode to the planner. A config never contains it.
	SeekAuto SeekMode = "auto"
)

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
