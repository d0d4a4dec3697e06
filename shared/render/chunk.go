package render

import (
	"context"
	"path/filepath"

	"helios/shared/capture"
	"helios/shared/job"
	"helios/shared/store"
)

// Chunk renders one partition of a job into the file output, just as [Job.Run] would: the bytes are the
// same. The config is that of the job, with the frames of the partition.
func Chunk(ctx context.Context, config job.Config, c capture.Composition, id job.ChunkID, output string, retries int, overwrite bool, report func(Event)) error {
	if err := CheckOutput(output, overwrite); err != nil {
		return err
	}
	return partitionJob(config, c, id, store.Dir(filepath.Dir(output)), filepath.Base(output), retries, report).Run(ctx)
}

// partitionJob is a job of which this process does one partition.
func partitionJob(config job.Config, c capture.Composition, id job.ChunkID, chunks store.Dir, name string, retries int, report func(Event)) *Job {
	spec := &job.Spec{JobID: id.Job, Config: config, Partitions: make([]job.Partition, id.Partitions)}
	for i := range spec.Partitions {
		spec.Partitions[i].ID = i
	}
	p := &spec.Partitions[id.Partition]
	p.StartFrame, p.FrameCount, p.OutputFile = config.StartFrame, config.FrameCount, name
	return &Job{
		Spec: spec, Composition: c, Chunks: chunks, Partitions: []int{id.Partition}, Workers: 1, Retries: retries, Report: report,
	}
}
