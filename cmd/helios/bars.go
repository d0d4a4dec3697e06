package main

import (
	"fmt"
	"io"
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

// bar is a progress bar whose rate is known from its own start.
type bar struct {
	*mpb.Bar
	name  string
	began time.Time
	done  int64
}

func newBars(w io.Writer) *bars {
	return &bars{progress: mpb.New(mpb.WithOutput(w), mpb.WithWidth(40)), workers: map[int]*bar{}}
}

func (b *bars) add(name string, total int64) *bar {
	item := &bar{name: name, began: time.Now()}
	item.Bar = b.progress.AddBar(total,
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return item.name }, decor.WC{W: 24, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.CountersNoUnit(" %d/%d frames"), decor.Any(item.rate)),
	)
	return item
}

// rate tells frames a second and the time that is left.
func (b *bar) rate(s decor.Statistics) string {
	seconds := time.Since(b.began).Seconds()
	if s.Current == 0 || seconds == 0 {
		return ""
	}
	fps := float64(s.Current) / seconds
	left := time.Duration(float64(s.Total-s.Current) / fps * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("  %.1f fps  %s left", fps, left)
}

// show shows an event, unless it is one for a line of text.
func (b *bars) show(e render.Event) bool {
	switch e.Type {
	case render.JobPlanned:
		b.job = b.add("total", e.Total)
	case render.PartitionStarted:
		name := fmt.Sprintf("worker %d partition %d", e.Worker, e.Partition)
		w := b.workers[e.Worker]
		if w == nil {
			b.workers[e.Worker] = b.add(name, e.Total)
			return true
		}
		b.job.IncrInt64(-w.done)
		w.name, w.began, w.done = name, time.Now(), 0
		w.SetTotal(e.Total, false)
		w.SetCurrent(0)
	case render.FrameDone:
		w := b.workers[e.Worker]
		w.SetCurrent(e.Frames)
		b.job.IncrInt64(e.Frames - w.done)
		w.done = e.Frames
	case render.PartitionKept:
		b.job.IncrInt64(e.Frames)
	case render.PartitionDone:
		// What is done is not taken back when the worker goes on to another partition.
		b.workers[e.Worker].done = 0
	case render.MergeStarted:
	default:
		return false
	}
	return true
}

func (b *bars) close() {
	if b.job != nil {
		b.job.Abort(false)
	}
	for _, w := range b.workers {
		w.Abort(false)
	}
	b.progress.Wait()
}
