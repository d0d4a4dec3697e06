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
	flags outputFlags
	out   io.Writer
	err   io.Writer
	bars  *bars // nil where nobody could see them move

	told   map[int]time.Time // when something about a partition was told last
	warned map[string]bool
	kept   int64         // frames of earlier runs
	remote cloudProgress // what was told last of a render in the cloud
}

// progressEvery is how often the frames of a partition are told to those who cannot watch a bar.
const progressEvery = time.Second

func newTeller(f outputFlags) *teller {
	t := &teller{flags: f, out: os.Stdout, err: os.Stderr, told: map[int]time.Time{}, warned: map[string]bool{}}
	if !f.json && !f.quiet && canShowBars(os.Stderr) {
		t.bars = newBars(os.Stderr)
		t.err = t.bars.progress // lines go above the bars
	}
	return t
}

func canShowBars(f *os.File) bool {
	// A terminal without a size, such as one that a program made, would show none of them.
	_, height, err := term.GetSize(int(f.Fd()))
	return err == nil && height > 0 && os.Getenv("TERM") != "dumb" && os.Getenv("NO_COLOR") == ""
}

// event tells one event. It is called for one event at a time.
func (t *teller) event(e render.Event) {
	switch {
	case t.flags.json:
		json.NewEncoder(t.out).Encode(e)
	case t.flags.quiet:
	case t.bars != nil && t.bars.show(e):
	default:
		t.line(e)
	}
}

func (t *teller) line(e render.Event) {
	say := func(format string, args ...any) { fmt.Fprintf(t.err, format+"\n", args...) }
	switch e.Type {
	case render.PartitionStarted:
		t.told[e.Partition] = time.Now()
	case render.FrameDone:
		// The last one is told by PartitionDone.
		if now := time.Now(); e.Frames < e.Total && now.Sub(t.told[e.Partition]) >= progressEvery {
			t.told[e.Partition] = now
			say("partition %d: frame %d of %d", e.Partition, e.Frames, e.Total)
		}
	case render.PartitionKept:
		t.kept += e.Frames
		say("partition %d: %s is there already", e.Partition, e.Path)
	case render.PartitionDone:
		say("partition %d: %d frames done", e.Partition, e.Frames)
	case render.PartitionFailed:
		say("partition %d: trying again: %s", e.Partition, e.Message)
	case render.Warning:
		// Each partition has the same to say about the page.
		if !t.warned[e.Message] {
			t.warned[e.Message] = true
			say("warning: %s", e.Message)
		}
	case render.OutputDone:
		t.close()
		speed := ""
		if drawn := e.Frames - t.kept; drawn > 0 && e.Elapsed > 0 {
			speed = fmt.Sprintf(" (%.1f fps)", float64(drawn)/e.Elapsed)
		}
		say("%d frames in %.1f s%s", e.Frames, e.Elapsed, speed)
		fmt.Fprintln(t.out, e.Path)
	}
}

// emitted tells where the job spec is.
func (t *teller) emitted(path string) error {
	switch {
	case t.flags.json:
		return json.NewEncoder(t.out).Encode(map[string]string{"type": "job-emitted", "path": path})
	case t.flags.quiet:
		return nil
	}
	_, err := fmt.Fprintln(t.out, path)
	return err
}

// close leaves the terminal as it should be, whatever happened.
func (t *teller) close() {
	if t.bars != nil {
		t.bars.close()
		t.bars, t.err = nil, os.Stderr
	}
}
