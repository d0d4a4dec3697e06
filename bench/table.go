package main

import (
	"fmt"
	"io"
	"time"

	"helios/shared/job"
)

// measurement is what a stage took.
type measurement struct{ wall, cpu time.Duration }

func measure(do func() error) (measurement, error) {
	wall, cpu := time.Now(), cpuTime()
	err := do()
	return measurement{time.Since(wall), cpuTime() - cpu}, err
}

// The stages that are compared with one another.
const painting = "paint alone"

func capturing(way job.Capture) string { return fmt.Sprintf("capture, %s", way) }

func rendering(way job.Capture, workers int) string {
	return fmt.Sprintf("render, %s, %d workers", way, workers)
}

// row is what one stage took for some frames.
type row struct {
	stage  string
	frames int64
	measurement
	note string
}

// perFrame is in milliseconds.
func (r row) perFrame() (wall, cpu float64) {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(r.frames) }
	return ms(r.wall), ms(r.cpu)
}

// table holds the best of all rounds of each stage of a page.
type table struct{ rows []row }

func (t *table) find(stage string) *row {
	for i := range t.rows {
		if t.rows[i].stage == stage {
			return &t.rows[i]
		}
	}
	return nil
}

func (t *table) add(r row) {
	known := t.find(r.stage)
	switch {
	case known == nil:
		t.rows = append(t.rows, r)
	case r.cpu < known.cpu:
		*known = r
	}
}

// cpu is the processor time of a frame in a stage, in milliseconds.
func (t *table) cpu(stage string) float64 {
	_, cpu := t.find(stage).perFrame()
	return cpu
}

func (t *table) print(out io.Writer, page string) {
	for _, r := range t.rows {
		wall, cpu := r.perFrame()
		fmt.Fprintf(out, "%s\t%s\t%.1f wall\t%.1f CPU\t%s\t\n", page, r.stage, wall, cpu, r.note)
	}
	for _, way := range []job.Capture{job.CaptureCanvas, job.CaptureElements} {
		if t.find(capturing(way)) == nil {
			continue
		}
		fmt.Fprintf(out, "%s\t%s\tcapture %.2f of paint alone\trender %.2f of the reference\tCPU\t\n", page, way,
			t.cpu(capturing(way))/t.cpu(painting), t.cpu(rendering(way, 1))/t.cpu(rendering(job.CaptureReference, 1)))
	}
}
