package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"helios/shared/render"
)

// teller tells a person or a program how a render goes. Results go to standard output, the rest to
// standard error.
type teller struct {
	flags    outputFlags
	out      io.Writer
	err      io.Writer
	bars     *bars // nil when standard error is no terminal
	progress map[int]time.Time
	total    int64
	began    time.Time
}

// progressEvery is how often the frames of a partition are told to those who cannot watch a bar.
const progressEvery = time.Second

func newTeller(f outputFlags) *teller {
	t := &teller{flags: f, out: os.Stdout, err: os.Stderr, progress: map[int]time.Time{}, began: time.Now()}
	if !f.json && !f.quiet && term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb" {
		t.bars = newBars(os.Stderr)
	}
	return t
}

// event tells one event. It is called for one event at a time.
func (t *teller) event(e render.Event) {
	switch {
	case t.skip(e):
	case t.flags.json:
		json.NewEncoder(t.out).Encode(e)
	case t.flags.quiet:
	case t.bars != nil && t.bars.show(e):
	default:
		t.line(e)
	}
}

// skip thins out the events that come with every frame.
func (t *teller) skip(e render.Event) bool {
	if e.Type != render.FrameDone || t.bars != nil {
		return false
	}
	now := time.Now()
	if e.Frames < e.Total && now.Sub(t.progress[e.Partition]) < progressEvery {
		return true
	}
	t.progress[e.Partition] = now
	return e.Frames == e.Total && !t.flags.json
}

func (t *teller) line(e render.Event) {
	say := func(format string, args ...any) { fmt.Fprintf(t.err, format+"\n", args...) }
	switch e.Type {
	case render.JobPlanned:
		t.total = e.Total
	case render.FrameDone:
		say("partition %d: frame %d of %d", e.Partition, e.Frames, e.Total)
	case render.PartitionKept:
		say("partition %d: %s is there already", e.Partition, e.Path)
	case render.PartitionDone:
		say("partition %d: %d frames done", e.Partition, e.Frames)
	case render.PartitionFailed:
		say("partition %d: trying again: %s", e.Partition, e.Message)
	case render.Warning:
		say("warning: %s", e.Message)
	case render.OutputDone:
		t.finishBars()
		say("%d frames in %.1f s (%.1f fps)", e.Frames, e.Elapsed, float64(e.Frames)/max(e.Elapsed, 0.001))
		fmt.Fprintln(t.out, e.Path)
	}
}

// result tells which file was made.
func (t *teller) result(path string) error {
	if t.flags.json {
		return json.NewEncoder(t.out).Encode(map[string]string{"type": "job-emitted", "path": path})
	}
	if t.flags.quiet {
		return nil
	}
	_, err := fmt.Fprintln(t.out, path)
	return err
}

func (t *teller) finishBars() {
	if t.bars != nil {
		t.bars.close()
		t.bars = nil
	}
}

// close leaves the terminal as it should be, whatever happened.
func (t *teller) close() { t.finishBars() }
