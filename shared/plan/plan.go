// Package plan turns render options into a job spec. It is pure: no disk, no network, no clock and no
// randomness of its own, so the CLI and the plan function make the same partitions of the same options.
package plan

import "helios/shared/job"

// New plans a render. Its error is a [*job.Error] that names the option at fault, by its JSON name.
func New(o Options) (*job.Spec, error) {
	config, err := o.config()
	if err != nil {
		return nil, err
	}
	for i := range o.Tracks {
		if err := o.Tracks[i].Validate(); err != nil {
			return nil, job.Errorf("tracks", "[%d]: %v", i, err)
		}
	}
	partitions, err := split(config, o.Concurrency)
	if err != nil {
		return nil, err
	}
	spec := &job.Spec{
		Version:    job.Version,
		JobID:      jobID(config, o.tracks(), len(partitions), o.Files, o.Revision),
		Config:     config,
		Partitions: partitions,
		Merge:      job.Merge{Inputs: make([]string, len(partitions)), Output: config.Output},
		Files:      o.Files,
	}
	for i, p := range partitions {
		spec.Merge.Inputs[i] = p.OutputFile
	}
	if tracks := o.tracks(); len(tracks) > 0 {
		spec.Audio = &job.Audio{Tracks: tracks, OutputFile: audioName(&config)}
		spec.Merge.Audio = spec.Audio.OutputFile
	}
	if err := writeCommands(spec); err != nil {
		return nil, err
	}
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	return spec, nil
}

// split divides the frames into runs of ceil(frames/concurrency), of which the last may be shorter and
// none is empty.
func split(c job.Config, concurrency int) ([]job.Partition, error) {
	switch {
	case concurrency < 0:
		return nil, job.Errorf("concurrency", "must be at least 1, got %d", concurrency)
	case concurrency == 0:
		concurrency = 1
	}
	chunkSize := ceilDiv(c.FrameCount, int64(concurrency))
	count := ceilDiv(c.FrameCount, chunkSize)
	if count > job.MaxPartitions {
		return nil, job.Errorf("concurrency", "%d makes %d partitions, but a map of Step Functions runs %d at most; use at most %[3]d",
			concurrency, count, job.MaxPartitions)
	}
	partitions := make([]job.Partition, count)
	for i := range partitions {
		first := int64(i) * chunkSize
		partitions[i] = job.Partition{
			ID:         i,
			StartFrame: c.StartFrame + first,
			FrameCount: min(chunkSize, c.FrameCount-first),
			OutputFile: chunkName(&c, i),
		}
	}
	return partitions, nil
}

// ceilDiv returns a/b rounded up, for a of at least 1.
func ceilDiv(a, b int64) int64 { return (a-1)/b + 1 }
