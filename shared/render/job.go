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

// Job executes a job spec on this machine.
type Job struct {
	Spec *job.Spec
	// Composition is the location of the spec's input.
	Composition capture.Composition
	// Sources is the folder to which the sources of audio tracks are relative.
	Sources store.Dir
	// Chunks is the folder to which the paths of chunks are relative.
	Chunks store.Dir
	// Output is the path of the output. It is used only if Merge is set.
	Output string
	// Partitions are the ids of the partitions to render; nil selects all.
	Partitions []int
	// Workers is the number of partitions that are rendered concurrently, at least 1.
	Workers int
	// Retries is how often a partition is retried after a transient error.
	Retries int
	// Resume keeps the complete chunks of an earlier run.
	Resume bool
	// Merge joins the chunks when all are complete.
	Merge bool
	// Overwrite lets the output replace an existing file.
	Overwrite bool
	// Report receives events, one at a time; nil discards them.
	Report func(Event)
	// Browsers is a pool for the composition at the spec's scale; nil makes the job use its own.
	Browsers *BrowserPool

	tools   Tools
	backend *backend // what workers use; nil until Run, except in tests
	started time.Time
	mu      sync.Mutex // serialises Report
}

// Run renders the partitions and merges their chunks. When ctx ends, Run stops at once and returns the cause of ctx.
// Only complete chunks remain.
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

	b := j.backend
	if b == nil {
		browsers := j.Browsers
		if browsers == nil {
			browsers = NewBrowserPool(j.Composition, j.Spec.Config.Scale)
			defer browsers.Close()
		}
		b = j.chromiumAndFFmpeg(browsers)
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
	if j.Spec.Audio != nil && j.Merge {
		g.Go(func() error {
			if err := j.mixSound(gctx); err != nil {
				return fmt.Errorf("mixing the sound: %w", err)
			}
			return nil
		})
	}
	for i := range max(1, min(j.Workers, len(partitions))) {
		g.Go(func() error {
			w := &worker{job: j, id: i, backend: b, player: b.newPlayer()}
			defer w.player.Release()
			for p := range todo {
				if err := w.renderOrKeep(gctx, p); err != nil {
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

// check returns errors that would otherwise appear only after the frames are rendered.
func (j *Job) check(ctx context.Context) (err error) {
	if err := encode.Check(j.Spec.Config); err != nil {
		return err
	}
	for _, id := range j.Partitions {
		if id < 0 || id >= len(j.Spec.Partitions) {
			return fault.Userf("partition %d does not exist; the job has partitions 0 to %d", id, len(j.Spec.Partitions)-1)
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
	if j.tools == (Tools{}) {
		j.tools, err = FindTools(ctx)
	}
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

func (j *Job) mixSound(ctx context.Context) error {
	return MixSound(ctx, SoundOptions{
		Config: j.Spec.Config, Tracks: j.Spec.Audio.Tracks, Composition: j.Composition, Sources: j.Sources,
		Output: j.Chunks.Path(j.Spec.Audio.OutputFile), Overwrite: true,
	})
}

func (j *Job) merge(ctx context.Context) error {
	j.report(Event{Type: MergeStarted, Partition: -1, Worker: -1})
	inputs := make([]Input, len(j.Spec.Partitions))
	for i, p := range j.Spec.Partitions {
		inputs[i] = Input{Name: p.OutputFile, Frames: p.FrameCount}
	}
	o := MergeOptions{Config: j.Spec.Config, Sound: j.Spec.Merge.Audio, Overwrite: j.Overwrite}
	if err := Merge(ctx, j.Chunks, inputs, j.Output, o); err != nil {
		return err
	}
	frames := j.Spec.Config.FrameCount
	j.report(Event{Type: OutputDone, Partition: -1, Worker: -1, Frames: frames, Total: frames, Path: j.Output})
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

// CaptureOptions returns the capture options of a job.
func CaptureOptions(c job.Config) capture.Options {
	return capture.Options{
		Width: c.Width, Height: c.Height, Transparent: c.Transparent, FPS: c.FPS, Seed: c.Seed, Props: c.Props,
		AllowMissing: c.AllowMissingAssets, Timeout: c.Timeout.Duration(), Capture: c.Capture, Scale: c.Scale,
	}
}
