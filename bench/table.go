package main

import (
	"fmt"
	"io"
	"time"

	"helios/shared/job"
)

// The stages that are compared.
const paint = "paint"

func capturing(mode job.Capture) string { return string(mode) }

func rendering(mode job.Capture, workers int) string {
	return fmt.Sprintf("render, %s, workers: %d", mode, workers)
}

// row is what one stage took for some frames.
type row struct {
	stage  string
	frames int64
	measurement
}

// perFrame is in milliseconds.
func (r row) perFrame(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000 / float64(r.frames)
}

// table has the best figures of all rounds for each stage of a page.
type table []row

func (t table) find(stage string) *row {
	for i := range t {
		if t[i].stage == stage {
			return &t[i]
		}
	}
	return nil
}

// add takes the least of each figure, as other work on the machine only adds to it.
func (t *table) add(stage string, frames int64, m measurement) {
	if r := t.find(stage); r != nil {
		r.measurement = measurement{min(r.wall, m.wall), min(r.cpu, m.cpu), min(r.first, m.first), min(r.peak, m.peak)}
		return
	}
	*t = append(*t, row{stage, frames, m})
}

// wall is the time of a frame in a stage, in milliseconds.
func (t table) wall(stage string) float64 { r := t.find(stage); return r.perFrame(r.wall) }

// cpu is the CPU time of a frame in a stage, in milliseconds.
func (t table) cpu(stage string) float64 { r := t.find(stage); return r.perFrame(r.cpu) }

func (t table) print(out io.Writer, page string) {
	for _, r := range t {
		note := ""
		if r.first > 0 {
			note = fmt.Sprintf("first frame after %d ms, %d MB at most", r.first.Milliseconds(), r.peak>>20)
		}
		fmt.Fprintf(out, "%s\t%s\t%.1f wall\t%.1f CPU\t%s\t\n", page, r.stage, r.perFrame(r.wall), r.perFrame(r.cpu), note)
	}
	stream, screenshot := rendering(job.CaptureStream, 1), rendering(job.CaptureScreenshot, 1)
	drawn, captured := t.cpu(paint), t.cpu(capturing(job.CaptureStream))
	fmt.Fprintf(out, "%s\tstream / paint\t\t%.2f CPU\t%+.1f ms CPU per frame\t\n", page, captured/drawn, captured-drawn)
	fmt.Fprintf(out, "%s\trender, stream / screenshot\t%.2f wall\t%.2f CPU\t\t\n", page,
		t.wall(stream)/t.wall(screenshot), t.cpu(stream)/t.cpu(screenshot))
}
