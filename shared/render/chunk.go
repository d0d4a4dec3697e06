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
	// A spec of that job, of which this process does one partition.
	spec := &job.Spec{JobID: id.Job, Config: config, Partitions: make([]job.Partition, id.Partitions)}
	spec.Partitions[id.Partition] = job.Partition{
		ID: id.Partition, StartFrame: config.StartFrame, FrameCount: config.FrameCount, OutputFile: filepath.Base(output),
	}
	j := &Job{
		Spec: spec, Composition: c, Chunks: store.Dir(filepath.Dir(output)), Partitions: []int{id.Partition},
		Workers: 1, Retries: retries, Report: report,
	}
	for i := range spec.Partitions {
		spec.Partitions[i].ID = i
	}
	return j.Run(ctx)
}
