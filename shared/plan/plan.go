// Package plan turns the options of a render into a job spec.
//
// # Plans
//
// [New] completes the settings with defaults, splits the frames into partitions, and writes the command of each step:
//
//	spec, err := plan.New(plan.Options{
//		Config:      job.Config{Input: "intro.html", FrameCount: 300},
//		Concurrency: 4,
//	})
//
// A plan depends only on its [Options], not on files, the network, the time or random numbers. So the CLI and the plan
// function on AWS create the same partitions, and the same options result in the same job id.
//
// # Options that depend on the page
//
// New does not open the page. Package render opens it before, and sets the options that depend on it: size, frame rate,
// length, sound and seek mode.
//
// # Number of partitions
//
// If the time per frame is known ([Pace]), [Partitions] chooses a number of partitions so that each takes a given time,
// and [CheckLimit] rejects partitions that take too long.
package plan

import "helios/shared/job"

// New plans a render. The error is a [*job.Error] with the JSON name of the option.
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

// split splits the frames into partitions of ceil(frames/concurrency) frames. The last one may be shorter; none is
// empty.
func split(c job.Config, concurrency int) ([]job.Partition, error) {
	switch {
	case concurrency < 0:
		return nil, job.Errorf("concurrency", "must be at least 1, got %d", concurrency)
	case concurrency == 0:
		concurrency = 1
	}
	size := ceilDiv(c.FrameCount, int64(concurrency))
	count := ceilDiv(c.FrameCount, size)
	if count > job.MaxPartitions {
		return nil, job.Errorf("concurrency", "must be at most %d, got %d", job.MaxPartitions, concurrency)
	}
	partitions := make([]job.Partition, count)
	for i := range partitions {
		first := int64(i) * size
		partitions[i] = job.Partition{
			ID:         i,
			StartFrame: c.StartFrame + first,
			FrameCount: min(size, c.FrameCount-first),
			OutputFile: chunkName(&c, i),
		}
	}
	return partitions, nil
}

// ceilDiv returns a/b rounded up. Both must be at least 1.
func ceilDiv(a, b int64) int64 { return (a-1)/b + 1 }
