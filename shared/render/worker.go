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
	"helios/shared/store"
	"helios/shared/tempfile"
)

// player captures the frames of partitions, one partition after the other.
type player interface {
	// Play passes the frames of a partition to emit, in order. Before the first frame, it calls missing for each asset
	// that did not load.
	Play(ctx context.Context, p job.Partition, missing func(browser.Asset), emit func(capture.Frame) error) error
	// Reset closes the browser, so that the next Play uses another one.
	Reset()
	// Release returns the browser to its pool. The player cannot be used any more.
	Release()
}

// encoder encodes the frames of one chunk. See [encode.Encoder].
type encoder interface {
	WriteFrame(frame []byte) error
	RepeatFrame()
	Close() error
	Abort()
}

// backend contains the functions with which workers render and verify chunks. Tests replace it.
type backend struct {
	newPlayer    func() player
	startEncoder func(ctx context.Context, comment, out string) (encoder, error)
	// probe returns what a chunk contains.
	probe func(ctx context.Context, chunks store.Store, name string) (stitch.Info, error)
}

// chromiumAndFFmpeg returns the backend that captures with Chromium and encodes with ffmpeg.
func (j *Job) chromiumAndFFmpeg(browsers *BrowserPool) *backend {
	config := j.Spec.Config
	return &backend{
		newPlayer: func() player {
			return &browserPlayer{browsers: browsers, composition: j.Composition, config: config}
		},
		startEncoder: func(ctx context.Context, comment, out string) (encoder, error) {
			return encode.Start(ctx, config, comment, out)
		},
		probe: func(ctx context.Context, chunks store.Store, name string) (stitch.Info, error) {
			return probe(ctx, chunkFormat(config), chunks, name)
		},
	}
}

// worker renders partitions one after the other.
type worker struct {
	job     *Job
	id      int
	backend *backend
	player  player
}

// renderOrKeep renders a partition to its chunk, or keeps the chunk of an earlier run.
func (w *worker) renderOrKeep(ctx context.Context, p job.Partition) error {
	j := w.job
	event := Event{Partition: p.ID, Worker: w.id, Total: p.FrameCount, Path: p.OutputFile}
	if err := tempfile.RemovePartials(j.Chunks.Path(p.OutputFile)); err != nil {
		return fault.Userf("removing the partial files of %s: %w", p.OutputFile, err)
	}
	if j.Resume && w.isComplete(ctx, p) {
		event.Type, event.Frames = PartitionKept, p.FrameCount
		j.report(event)
		return nil
	}
	err := retry(ctx, j.Retries, func() error {
		event.Type = PartitionStarted
		j.report(event)
		return w.render(ctx, p)
	}, func(err error) {
		w.player.Reset()
		event.Type, event.Message = PartitionFailed, err.Error()
		j.report(event)
		event.Message = ""
	})
	if err != nil {
		w.player.Reset()
		return fmt.Errorf("partition %d (frames %d to %d): %w", p.ID, p.StartFrame, p.StartFrame+p.FrameCount-1, err)
	}
	event.Type, event.Frames = PartitionDone, p.FrameCount
	j.report(event)
	return nil
}

// isComplete reports whether the chunk of a partition exists and matches the job.
func (w *worker) isComplete(ctx context.Context, p job.Partition) bool {
	info, err := w.backend.probe(ctx, w.job.Chunks, p.OutputFile)
	return err == nil && w.job.matches(p, info)
}

// matches reports whether a chunk is the one that this job would render.
func (j *Job) matches(p job.Partition, info stitch.Info) bool {
	return info.Frames == p.FrameCount && info.Comment == j.provenance(p).comment()
}

func (j *Job) provenance(p job.Partition) provenance {
	return provenance{
		Chunk:   &job.ChunkID{Job: j.Spec.JobID, Partition: p.ID, Partitions: len(j.Spec.Partitions)},
		Frames:  p.FrameCount,
		Capture: j.Spec.Config.Capture,
		Tools:   j.tools,
	}
}

// render renders a partition once, without retries.
func (w *worker) render(ctx context.Context, p job.Partition) error {
	j := w.job
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	chunk, err := j.Chunks.CreateFile(p.OutputFile)
	if err != nil {
		return fault.Userf("writing the chunk: %w", err)
	}
	defer chunk.Abort()
	// ffmpeg starts while the page loads.
	encoder, err := w.backend.startEncoder(ctx, j.provenance(p).comment(), chunk.Name())
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
	info, err := w.backend.probe(ctx, j.Chunks, p.OutputFile)
	if err != nil {
		return fmt.Errorf("verifying the chunk: %w", err)
	}
	if info.Frames != p.FrameCount {
		return fmt.Errorf("verifying the chunk: it has %d frames, want %d", info.Frames, p.FrameCount)
	}
	return nil
}

// play passes the frames of a partition to an encoder.
func (w *worker) play(ctx context.Context, p job.Partition, encoder encoder) error {
	missing := func(a browser.Asset) {
		message := fmt.Sprintf("missing %s (%s)", a.URL, a.Problem)
		w.job.report(Event{Type: Warning, Partition: p.ID, Worker: w.id, Message: message})
	}
	last := p.StartFrame + p.FrameCount - 1
	return w.player.Play(ctx, p, missing, func(f capture.Frame) error {
		if f.Repeated && f.Index != last {
			encoder.RepeatFrame()
		} else if err := encoder.WriteFrame(f.Data()); err != nil {
			return err
		}
		done := f.Index - p.StartFrame + 1
		w.job.report(Event{Type: FrameDone, Partition: p.ID, Worker: w.id, Frames: done, Total: p.FrameCount})
		return nil
	})
}

// browserPlayer plays partitions in Chromium. It keeps its browser from partition to partition.
type browserPlayer struct {
	browsers    *BrowserPool
	composition capture.Composition
	config      job.Config
	browser     *browser.Browser // nil before the first Play and after Reset
}

func (b *browserPlayer) Play(
	ctx context.Context, p job.Partition, missing func(browser.Asset), emit func(capture.Frame) error,
) (err error) {
	if b.browser == nil {
		if b.browser, err = b.browsers.acquire(ctx); err != nil {
			return err
		}
	}
	page, err := capture.Open(ctx, b.browser, b.composition, CaptureOptions(b.config))
	if err != nil {
		return err
	}
	defer page.Close()
	for _, a := range page.Missing() {
		missing(a)
	}
	return page.Play(ctx, p.StartFrame, p.FrameCount, b.config.SeekMode, emit)
}

func (b *browserPlayer) Reset() {
	if b.browser != nil {
		b.browser.Close()
		b.browser = nil
	}
}

func (b *browserPlayer) Release() {
	if b.browser != nil {
		b.browsers.release(b.browser)
		b.browser = nil
	}
}
