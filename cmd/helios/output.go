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

// reporter prints what happens during a render: results on standard output, progress and messages on standard
// error. With --json it prints every event on standard output instead.
type reporter struct {
	flags  reportFlags
	stdout io.Writer
	stderr io.Writer
	bars   *progressBars // nil without a terminal that can show them

	lastLine map[int]time.Time // by partition: when its last line of progress was printed
	warned   map[string]bool   // warnings that were printed
	kept     int64             // frames of earlier runs
	cloud    cloudProgress     // the last progress of a render on AWS
}

// lineInterval is the time between two lines of progress of a partition where there are no progress bars.
const lineInterval = time.Second

func newReporter(f reportFlags) *reporter {
	r := &reporter{
		flags: f, stdout: os.Stdout, stderr: os.Stderr,
		lastLine: map[int]time.Time{}, warned: map[string]bool{},
	}
	if !f.json && !f.quiet && supportsBars(os.Stderr) {
		r.bars = newProgressBars(os.Stderr)
		r.stderr = r.bars.container // prints lines above the bars
	}
	return r
}

// supportsBars reports whether f is a terminal with a size that can move its cursor.
func supportsBars(f *os.File) bool {
	_, height, err := term.GetSize(int(f.Fd()))
	return err == nil && height > 0 && os.Getenv("TERM") != "dumb" && os.Getenv("NO_COLOR") == ""
}

// report prints one event. Calls must not overlap.
func (r *reporter) report(e render.Event) {
	switch {
	case r.flags.json:
		printJSON(r.stdout, e)
	case r.flags.quiet:
	case r.bars != nil && r.bars.show(e):
	default:
		r.printEvent(e)
	}
}

// logf prints a line, unless --json or --quiet is set.
func (r *reporter) logf(format string, args ...any) {
	if !r.flags.json && !r.flags.quiet {
		fmt.Fprintf(r.stderr, format+"\n", args...)
	}
}

// printJSON prints v as one line. It ignores errors: a closed standard output does not stop a render.
func printJSON(w io.Writer, v any) { _ = json.NewEncoder(w).Encode(v) }

func (r *reporter) printEvent(e render.Event) {
	switch e.Type {
	case render.PartitionStarted:
		r.lastLine[e.Partition] = time.Now()
	case render.FrameDone:
		// PartitionDone reports the last frame.
		if now := time.Now(); e.Frames < e.Total && now.Sub(r.lastLine[e.Partition]) >= lineInterval {
			r.lastLine[e.Partition] = now
			r.logf("partition %d: frame %d of %d", e.Partition, e.Frames, e.Total)
		}
	case render.PartitionKept:
		r.kept += e.Frames
		r.logf("partition %d: keeping %s from an earlier run", e.Partition, e.Path)
	case render.PartitionDone:
		r.logf("partition %d: %d frames done", e.Partition, e.Frames)
	case render.PartitionFailed:
		r.logf("partition %d: retrying: %s", e.Partition, e.Message)
	case render.Warning:
		// Every partition reports the same warnings about the page.
		if !r.warned[e.Message] {
			r.warned[e.Message] = true
			r.logf("warning: %s", e.Message)
		}
	case render.OutputDone:
		r.close()
		speed := ""
		if rendered := e.Frames - r.kept; rendered > 0 && e.Elapsed > 0 {
			speed = fmt.Sprintf(" (%.1f fps)", float64(rendered)/e.Elapsed)
		}
		r.logf("%d frames in %.1f s%s", e.Frames, e.Elapsed, speed)
		fmt.Fprintln(r.stdout, e.Path)
	}
}

// jobEmitted reports that the job spec was written to path.
func (r *reporter) jobEmitted(path string) error {
	switch {
	case r.flags.json:
		return json.NewEncoder(r.stdout).Encode(map[string]string{"type": "job-emitted", "path": path})
	case r.flags.quiet:
		return nil
	}
	_, err := fmt.Fprintln(r.stdout, path)
	return err
}

// close stops the progress bars. It can be called more than once.
func (r *reporter) close() {
	if r.bars != nil {
		r.bars.close()
		r.bars, r.stderr = nil, os.Stderr
	}
}
