// Package render does the work of a job spec: one partition becomes a chunk, and on one machine a whole job
// becomes a video, with workers, retries and the chunks of earlier runs.
//
// A chunk is in place whole or not at all, and says in itself which partition of which job it is. That is
// all the state there is: a runner that was killed goes on from the chunks that it finds.
package render

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"helios/shared/capture"
	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/store"
)

// Job is a job spec to be run on this machine.
type Job struct {
	Spec *job.Spec
	// Composition is where Spec's input was found.
	Composition capture.Composition
	// Sources is the folder that the sources of sound are relative to.
	Sources store.Dir
	// Chunks is the folder that the paths of the chunks are relative to.
	Chunks store.Dir
	// Output is the file that merge writes.
	Output string
	// Partitions are the ids of those to be rendered; nil for all.
	Partitions []int
	// Workers is how many partitions are rendered at once, at least 1.
	Workers int
	// Retries is how often a partition is tried again after a fault.Transient.
	Retries int
	// Resume keeps the chunks that an earlier run left whole.
	Resume bool
	// Merge stitches the chunks when all are there.
	Merge bool
	// Overwrite lets the output replace a file of its name.
	Overwrite bool
	// Report is told what happens, one event after the other; nil for nobody.
	Report func(Event)
	// Browsers are those of the composition at the spec's scale; nil for some of the job's own.
	Browsers *Browsers

	tools   Tools
	started time.Time
	mu      sync.Mutex
}

// Run renders and merges. When ctx ends it stops at once, with the cause as its error, and leaves whole chunks
// and nothing else.
func (j *Job) Run(ctx context.Context) error {
	j.started = time.Now()
	err := j.run(ctx)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (j *Job) run(ctx context.Context) error {
	if err := j.check(ctx); err != nil {
		return err
	}
	partitions := j.selected()
	var total int64
	for _, p := range partitions {
		total += p.FrameCount
	}
	j.report(Event{Type: JobPlanned, Partition: -1, Worker: -1, Total: total})

	browsers := j.Browsers
	if browsers == nil {
		browsers = NewBrowsers(j.Composition, j.Spec.Config.Scale)
		defer browsers.Close()
	}
	todo := make(chan job.Partition)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(todo)
		for _, p := range partitions {
			select {
			case todo <- p:
			case <-gctx.Done():
				return nil
			}
		}
		return nil
	})
	if a := j.Spec.Audio; a != nil && j.Merge {
		g.Go(func() error {
			if err := Sound(gctx, j.Spec.Config, a.Tracks, j.Composition, j.Sources, j.Chunks.Path(a.OutputFile), true); err != nil {
				return fmt.Errorf("the sound: %w", err)
			}
			return nil
		})
	}
	for i := range max(1, min(j.Workers, len(partitions))) {
		g.Go(func() error {
			w := &worker{job: j, id: i, browsers: browsers}
			defer w.release()
			for p := range todo {
				if err := w.do(gctx, p); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil || !j.Merge {
		return err
	}
	return j.merge(ctx)
}

// check finds out early what would fail late.
func (j *Job) check(ctx context.Context) (err error) {
	if err := encode.Check(j.Spec.Config); err != nil {
		return err
	}
	for _, id := range j.Partitions {
		if id < 0 || id >= len(j.Spec.Partitions) {
			return fault.Userf("there is no partition %d; the job has 0 to %d", id, len(j.Spec.Partitions)-1)
		}
	}
	if j.Merge {
		if err := CheckOutput(j.Output, j.Overwrite); err != nil {
			return err
		}
	}
	if j.Spec.Audio != nil && j.Merge {
		if err := checkSources(j.Spec.Audio.Tracks, j.Sources); err != nil {
			return err
		}
	}
	if err := j.Composition.Verify(j.Spec.Files); err != nil {
		return err
	}
	j.tools, err = FindTools(ctx)
	return err
}

func (j *Job) selected() []job.Partition {
	if j.Partitions == nil {
		return j.Spec.Partitions
	}
	var list []job.Partition
	for _, p := range j.Spec.Partitions {
		if slices.Contains(j.Partitions, p.ID) {
			list = append(list, p)
		}
	}
	return list
}

func (j *Job) merge(ctx context.Context) error {
	j.report(Event{Type: MergeStarted, Partition: -1, Worker: -1})
	inputs := make([]Input, len(j.Spec.Partitions))
	for i, p := range j.Spec.Partitions {
		inputs[i] = Input{Name: p.OutputFile, Frames: p.FrameCount}
	}
	if err := Merge(ctx, j.Chunks, inputs, j.Output, MergeOptions{Config: j.Spec.Config, Sound: j.Spec.Merge.Audio, Overwrite: j.Overwrite}); err != nil {
		return err
	}
	j.report(Event{Type: OutputDone, Partition: -1, Worker: -1, Frames: j.Spec.Config.FrameCount, Total: j.Spec.Config.FrameCount, Path: j.Output})
	return nil
}

func (j *Job) report(e Event) {
	if j.Report == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	e.Job = j.Spec.JobID
	e.Elapsed = since(j.started)
	j.Report(e)
}

// Options returns how a composition is played for a spec.
func Options(c job.Config) capture.Options {
	return capture.Options{
		Width: c.Width, Height: c.Height, Transparent: c.Transparent, FPS: c.FPS, Seed: c.Seed, Props: c.Props,
		AllowMissing: c.AllowMissingAssets, Timeout: c.Timeout.Duration(), Capture: c.Capture, Scale: c.Scale,
	}
}

// attempt calls do until it succeeds, fails for good or has failed with a fault.Transient more often than
// there are retries; before each new attempt it calls again.
func attempt(ctx context.Context, retries int, do func() error, again func(error)) error {
	for try := 0; ; try++ {
		err := do()
		if err == nil || ctx.Err() != nil || fault.Of(err) != fault.Transient {
			return err
		}
		if try >= retries {
			if try > 0 {
				err = fmt.Errorf("after %d attempts: %w", try+1, err)
			}
			return err
		}
		again(err)
	}
}
