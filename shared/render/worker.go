package render

import (
	"context"
	"fmt"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/stitch"
)

// worker renders partitions one after the other, in one browser for as long as nothing goes wrong.
type worker struct {
	job      *Job
	id       int
	browsers *Browsers
	browser  *browser.Browser // nil before the first partition and after a failure
}

// do leaves the chunk of a partition behind.
func (w *worker) do(ctx context.Context, p job.Partition) error {
	j := w.job
	event := Event{Partition: p.ID, Worker: w.id, Total: p.FrameCount, Path: p.OutputFile}
	if err := j.Chunks.RemovePartials(p.OutputFile); err != nil {
		return fault.Userf("removing what a killed render left of %s: %w", p.OutputFile, err)
	}
	if j.Resume && j.finished(ctx, p) {
		event.Type, event.Frames = PartitionKept, p.FrameCount
		j.report(event)
		return nil
	}
	err := attempt(ctx, j.Retries, func() error {
		event.Type = PartitionStarted
		j.report(event)
		return w.render(ctx, p)
	}, func(err error) {
		// What went wrong may have left the browser in any state.
		w.close()
		event.Type, event.Message = PartitionFailed, err.Error()
		j.report(event)
		event.Message = ""
	})
	if err != nil {
		w.close()
		return fmt.Errorf("partition %d (frames %d to %d): %w", p.ID, p.StartFrame, p.StartFrame+p.FrameCount-1, err)
	}
	event.Type, event.Frames = PartitionDone, p.FrameCount
	j.report(event)
	return nil
}

// finished reports whether an earlier run left the chunk that this one would make.
func (j *Job) finished(ctx context.Context, p job.Partition) bool {
	info, err := probe(ctx, j.chunkFormat(), j.Chunks, p.OutputFile)
	return err == nil && j.made(p, info)
}

// made reports whether a file is the chunk that this run would make.
func (j *Job) made(p job.Partition, info stitch.Info) bool {
	return info.Frames == p.FrameCount && info.Comment == j.provenance(p).comment()
}

// chunkFormat returns the format of the chunks.
func (j *Job) chunkFormat() job.Format {
	if j.Spec.Config.Format.Video() {
		return j.Spec.Config.Format
	}
	return job.MOV
}

func (j *Job) provenance(p job.Partition) provenance {
	return provenance{
		Chunk:   &job.ChunkID{Job: j.Spec.JobID, Partition: p.ID, Partitions: len(j.Spec.Partitions)},
		Frames:  p.FrameCount,
		Capture: j.Spec.Config.Capture,
		Tools:   j.tools,
	}
}

// render makes one attempt at a partition.
func (w *worker) render(ctx context.Context, p job.Partition) (err error) {
	j := w.job
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	chunk, err := j.Chunks.CreateFile(p.OutputFile)
	if err != nil {
		return fault.Userf("writing the chunk: %w", err)
	}
	defer chunk.Abort()
	// ffmpeg starts while the page loads.
	encoder, err := encode.Start(ctx, j.Spec.Config, j.provenance(p).comment(), chunk.Name())
	if err != nil {
		return err
	}
	defer encoder.Abort()
	if err := w.play(ctx, p, encoder); err != nil {
		return err
	}
	if err := encoder.Close(); err != nil {
		return err
	}
	if err := chunk.Commit(); err != nil {
		return fault.Userf("writing the chunk: %w", err)
	}
	if info, err := probe(ctx, j.chunkFormat(), j.Chunks, p.OutputFile); err != nil {
		return fmt.Errorf("checking what ffmpeg wrote: %w", err)
	} else if info.Frames != p.FrameCount {
		return fmt.Errorf("ffmpeg made %d frames of %d", info.Frames, p.FrameCount)
	}
	return nil
}

// play draws the frames of a partition for an encoder.
func (w *worker) play(ctx context.Context, p job.Partition, encoder *encode.Encoder) (err error) {
	j, config := w.job, w.job.Spec.Config
	if w.browser == nil {
		if w.browser, err = w.browsers.take(ctx); err != nil {
			return err
		}
	}
	player, err := capture.Open(ctx, w.browser, j.Composition, Options(config))
	if err != nil {
		return err
	}
	defer player.Close()
	for _, a := range player.Missing() {
		j.report(Event{Type: Warning, Partition: p.ID, Worker: w.id, Message: fmt.Sprintf("missing %s (%s)", a.URL, a.Problem)})
	}
	last := p.StartFrame + p.FrameCount - 1
	return player.Play(ctx, p.StartFrame, p.FrameCount, config.SeekMode, func(f capture.Frame) error {
		if f.Repeated && f.Index != last {
			encoder.RepeatFrame()
		} else if err := encoder.WriteFrame(f.Data()); err != nil {
			return err
		}
		j.report(Event{Type: FrameDone, Partition: p.ID, Worker: w.id, Frames: f.Index - p.StartFrame + 1, Total: p.FrameCount})
		return nil
	})
}

// release gives the worker's browser back.
func (w *worker) release() {
	if w.browser != nil {
		w.browsers.give(w.browser)
		w.browser = nil
	}
}

// close ends the worker's browser.
func (w *worker) close() {
	if w.browser != nil {
		w.browser.Close()
		w.browser = nil
	}
}
