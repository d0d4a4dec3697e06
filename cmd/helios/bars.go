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

// bars shows one progress bar for the job and one for each worker.
type bars struct {
	progress *mpb.Progress
	job      *bar
	workers  map[int]*bar
}

// bar is a progress bar that can be started again with another name. It is drawn by a goroutine of its own.
type bar struct {
	*mpb.Bar
	lap  atomic.Pointer[lap]
	done int64 // frames of the partition that the worker is at
}

// lap is what a bar shows besides its frames.
type lap struct {
	name  string
	began time.Time
	kept  int64 // frames that took no time
}

func newBars(w io.Writer) *bars {
	return &bars{progress: mpb.New(mpb.WithOutput(w), mpb.WithWidth(40)), workers: map[int]*bar{}}
}

// add adds a bar below those of a smaller place.
func (b *bars) add(place int) *bar {
	item := &bar{}
	item.lap.Store(&lap{began: time.Now()})
	// A bar that is made with its total is over once it gets there, but a worker's goes on with the next
	// partition.
	item.Bar = b.progress.AddBar(0, mpb.BarPriority(place),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return item.lap.Load().name }, decor.WC{W: 24, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.CountersNoUnit(" %d/%d frames"), decor.Any(item.rate)),
	)
	return item
}

func (b *bar) start(name string, total int64) {
	b.lap.Store(&lap{name: name, began: time.Now()})
	b.done = 0
	b.SetTotal(total, false)
	b.SetCurrent(0)
}

// rate tells frames a second and the time that is left.
func (b *bar) rate(s decor.Statistics) string {
	r := b.lap.Load()
	seconds, drawn := time.Since(r.began).Seconds(), s.Current-r.kept
	if drawn <= 0 || seconds == 0 {
		return ""
	}
	fps := float64(drawn) / seconds
	if s.Current >= s.Total {
		return fmt.Sprintf("  %.1f fps", fps)
	}
	left := time.Duration(float64(s.Total-s.Current) / fps * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("  %.1f fps  %s left", fps, left)
}

// show shows an event, unless it is one for a line of text.
func (b *bars) show(e render.Event) bool {
	switch e.Type {
	case render.JobPlanned:
		if b.job == nil { // a job can start over
			b.job = b.add(0)
		}
		b.job.start("total", e.Total)
	case render.PartitionStarted:
		w := b.workers[e.Worker]
		if w == nil {
			w = b.add(1 + e.Worker)
			b.workers[e.Worker] = w
		}
		// Frames of an attempt that failed have to be drawn again.
		b.job.IncrInt64(-w.done)
		w.start(fmt.Sprintf("worker %d partition %d", e.Worker, e.Partition), e.Total)
	case render.FrameDone:
		w := b.workers[e.Worker]
		w.SetCurrent(e.Frames)
		b.job.IncrInt64(e.Frames - w.done)
		w.done = e.Frames
	case render.PartitionDone:
		b.workers[e.Worker].done = 0
	case render.PartitionKept:
		r := *b.job.lap.Load()
		r.kept += e.Frames
		b.job.lap.Store(&r)
		b.job.IncrInt64(e.Frames)
	case render.MergeStarted:
	default:
		return false
	}
	return true
}

// advance shows how far a render is whose workers are elsewhere.
func (b *bars) advance(name string, frames, total int64) {
	if b.job == nil {
		b.job = b.add(0)
		b.job.lap.Store(&lap{name: name, began: time.Now(), kept: frames})
	}
	r := *b.job.lap.Load()
	r.name = name
	b.job.lap.Store(&r)
	b.job.SetTotal(total, false)
	b.job.SetCurrent(frames)
}

// close leaves the bars as they are, below what was written last.
func (b *bars) close() {
	if b.job != nil {
		b.job.Abort(false)
	}
	for _, w := range b.workers {
		w.Abort(false)
	}
	b.progress.Wait()
}
