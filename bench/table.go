package main

import (
	"fmt"
	"io"
	"time"

	"helios/shared/job"
)

// The names of the stages that print compares.
const paintStage = "paint"

func captureStage(mode job.Capture) string { return string(mode) }

func renderStage(mode job.Capture, workers int) string {
	return fmt.Sprintf("render, %s, workers: %d", mode, workers)
}

// row is the measurement of one stage.
type row struct {
	stage  string
	frames int64
	measurement
}

// perFrame returns milliseconds.
func (r row) perFrame(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000 / float64(r.frames)
}

// table contains the lowest figures of each stage of a page.
type table []row

func (t table) find(stage string) *row {
	for i := range t {
		if t[i].stage == stage {
			return &t[i]
		}
	}
	return nil
}

func (t *table) add(stage string, frames int64, m measurement) {
	r := t.find(stage)
	if r == nil {
		*t = append(*t, row{stage, frames, m})
		return
	}
	r.measurement = measurement{
		wall:       min(r.wall, m.wall),
		cpu:        min(r.cpu, m.cpu),
		firstFrame: min(r.firstFrame, m.firstFrame),
		memory:     min(r.memory, m.memory),
	}
}

// wall returns the time per frame of a stage, in milliseconds.
func (t table) wall(stage string) float64 { r := t.find(stage); return r.perFrame(r.wall) }

// cpu returns the CPU time per frame of a stage, in milliseconds.
func (t table) cpu(stage string) float64 { r := t.find(stage); return r.perFrame(r.cpu) }

func (t table) print(out io.Writer, page string) {
	for _, r := range t {
		note := ""
		if r.firstFrame > 0 {
			note = fmt.Sprintf("first frame after %d ms, at most %d MB", r.firstFrame.Milliseconds(), r.memory>>20)
		}
		fmt.Fprintf(out, "%s\t%s\t%.1f wall\t%.1f CPU\t%s\t\n",
			page, r.stage, r.perFrame(r.wall), r.perFrame(r.cpu), note)
	}
	stream, screenshot := renderStage(job.CaptureStream, 1), renderStage(job.CaptureScreenshot, 1)
	paint, capture := t.cpu(paintStage), t.cpu(captureStage(job.CaptureStream))
	fmt.Fprintf(out, "%s\tstream / paint\t\t%.2f CPU\t%+.1f ms CPU per frame\t\n", page, capture/paint, capture-paint)
	fmt.Fprintf(out, "%s\trender, stream / screenshot\t%.2f wall\t%.2f CPU\t\t\n", page,
		t.wall(stream)/t.wall(screenshot), t.cpu(stream)/t.cpu(screenshot))
}
