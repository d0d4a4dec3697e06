package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"helios/shared/render"
)

// progressBars shows one progress bar for the job and one for each worker.
type progressBars struct {
	container *mpb.Progress
	job       *bar
	workers   map[int]*bar
}

// bar is a progress bar that can restart under another name. Its own goroutine draws it.
type bar struct {
	*mpb.Bar
	run  atomic.Pointer[barRun]
	done int64 // frames of the worker's current partition
}

// barRun describes what a bar counts between two restarts.
type barRun struct {
	name  string
	start time.Time
	kept  int64 // frames of earlier runs, which do not count for the speed
}

func newProgressBars(w io.Writer) *progressBars {
	return &progressBars{container: mpb.New(mpb.WithOutput(w), mpb.WithWidth(40)), workers: map[int]*bar{}}
}

// add adds a bar. Bars are sorted by position, the smallest at the top.
func (b *progressBars) add(position int) *bar {
	added := &bar{}
	added.run.Store(&barRun{start: time.Now()})
	name := decor.Any(func(decor.Statistics) string { return added.run.Load().name },
		decor.WC{W: 24, C: decor.DindentRight})
	// A bar that is created with its total ends at that total, but a worker's bar continues with the next partition.
	added.Bar = b.container.AddBar(0, mpb.BarPriority(position),
		mpb.PrependDecorators(name),
		mpb.AppendDecorators(decor.CountersNoUnit(" %d/%d frames"), decor.Any(added.speed)),
	)
	return added
}

func (b *bar) restart(name string, total int64) {
	b.run.Store(&barRun{name: name, start: time.Now()})
	b.done = 0
	b.SetTotal(total, false)
	b.SetCurrent(0)
}

// speed formats the frames per second and the remaining time.
func (b *bar) speed(s decor.Statistics) string {
	r := b.run.Load()
	seconds, rendered := time.Since(r.start).Seconds(), s.Current-r.kept
	if rendered <= 0 || seconds == 0 {
		return ""
	}
	fps := float64(rendered) / seconds
	if s.Current >= s.Total {
		return fmt.Sprintf("  %.1f fps", fps)
	}
	left := time.Duration(float64(s.Total-s.Current) / fps * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("  %.1f fps  %s left", fps, left)
}

// show updates the bars. It returns false for events that need a line of text.
func (b *progressBars) show(e render.Event) bool {
	switch e.Type {
	case render.JobPlanned:
		if b.job == nil { // a job can start over
			b.job = b.add(0)
		}
		b.job.restart("total", e.Total)
	case render.PartitionStarted:
		w := b.workers[e.Worker]
		if w == nil {
			w = b.add(1 + e.Worker)
			b.workers[e.Worker] = w
		}
		// A retry renders the frames of the failed attempt again.
		b.job.IncrInt64(-w.done)
		w.restart(fmt.Sprintf("worker %d partition %d", e.Worker, e.Partition), e.Total)
	case render.FrameDone:
		w := b.workers[e.Worker]
		w.SetCurrent(e.Frames)
		b.job.IncrInt64(e.Frames - w.done)
		w.done = e.Frames
	case render.PartitionDone:
		b.workers[e.Worker].done = 0
	case render.PartitionKept:
		r := *b.job.run.Load()
		r.kept += e.Frames
		b.job.run.Store(&r)
		b.job.IncrInt64(e.Frames)
	case render.MergeStarted:
	default:
		return false
	}
	return true
}

// update shows one bar for a render whose workers run elsewhere.
func (b *progressBars) update(name string, frames, total int64) {
	if b.job == nil {
		b.job = b.add(0)
		b.job.run.Store(&barRun{name: name, start: time.Now(), kept: frames})
	}
	r := *b.job.run.Load()
	r.name = name
	b.job.run.Store(&r)
	b.job.SetTotal(total, false)
	b.job.SetCurrent(frames)
}

// close stops the bars and leaves them on the screen.
func (b *progressBars) close() {
	if b.job != nil {
		b.job.Abort(false)
	}
	for _, w := range b.workers {
		w.Abort(false)
	}
	b.container.Wait()
}
