// Package render renders compositions on this machine.
//
// # Jobs
//
// A [Job] executes a job spec: its workers render partitions to chunks, and merging joins the chunks and the sound to
// the output. [Plan] returns the spec for a composition and render options.
//
// Commands and functions that execute one step of a job elsewhere call that step directly: [Partition.ToFile] and
// [Partition.ToStore] render one partition, [MixSound] mixes the sound, [Merge] and [MergeTo] join chunks.
//
// # Retries
//
// Each worker keeps one browser from partition to partition. After a transient error ([fault.Transient]), such as a
// killed Chromium, the worker retries the partition with a new browser, up to [Job.Retries] times. Every other error
// ends the job.
//
// # Resume
//
// A chunk is written under a temporary name and renamed when it is complete. Its comment contains its provenance: the
// job, the partition, the capture mode, and the versions of Chromium and ffmpeg. There is no other state. With
// [Job.Resume], a job keeps the chunks that have the provenance that it would write itself, and renders the others.
//
// # Before a render
//
// [Inspect] reports what a composition contains. [Measure] reports what a planner on another machine needs,
// including the time that a frame takes. [CaptureStill] captures one frame.
package render
