package render

import (
	"context"
	"path/filepath"

	"helios/shared/capture"
	"helios/shared/job"
	"helios/shared/store"
)

// Partition renders one partition of a job without the rest of the job. The chunk has the same bytes as the one from
// [Job.Run].
type Partition struct {
	// Config is the config of the job, with the StartFrame and FrameCount of the partition.
	Config      job.Config
	Composition capture.Composition
	// ID is a part of the provenance in the chunk.
	ID job.ChunkID
	// Retries is how often the partition is retried after a transient error.
	Retries int
	// Report receives events, one at a time; nil discards them.
	Report func(Event)
}

// ToFile renders the partition to a file.
func (p Partition) ToFile(ctx context.Context, output string, overwrite bool) error {
	if err := CheckOutput(output, overwrite); err != nil {
		return err
	}
	return p.job(store.Dir(filepath.Dir(output)), filepath.Base(output)).Run(ctx)
}

// job returns a job that renders only this partition, to the file name below chunks.
func (p Partition) job(chunks store.Dir, name string) *Job {
	spec := &job.Spec{JobID: p.ID.Job, Config: p.Config, Partitions: make([]job.Partition, p.ID.Partitions)}
	for i := range spec.Partitions {
		spec.Partitions[i].ID = i
	}
	own := &spec.Partitions[p.ID.Partition]
	own.StartFrame, own.FrameCount, own.OutputFile = p.Config.StartFrame, p.Config.FrameCount, name
	return &Job{
		Spec: spec, Composition: p.Composition, Chunks: chunks, Partitions: []int{p.ID.Partition},
		Workers: 1, Retries: p.Retries, Report: p.Report,
	}
}
