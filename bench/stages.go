package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/encode"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/render"
	"helios/shared/store"
)

// measurement is what a stage took.
type measurement struct{ wall, cpu time.Duration }

func measure(do func() error) (measurement, error) {
	wall, cpu := time.Now(), cpuTime()
	err := do()
	return measurement{time.Since(wall), cpuTime() - cpu}, err
}

func (m measurement) perFrame(frames int64) (wall, cpu float64) {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(frames) }
	return ms(m.wall), ms(m.cpu)
}

func benchPage(ctx context.Context, out io.Writer, dir, page string, frames int64) error {
	c, err := capture.Locate("", page)
	if err != nil {
		return err
	}
	spec, err := newSpec(page, frames, 1)
	if err != nil {
		return err
	}
	row := func(stage string, frames int64, m measurement) {
		wall, cpu := m.perFrame(frames)
		fmt.Fprintf(out, "%s\t%s\t%.1f wall\t%.1f CPU\t\n", filepath.Base(page), stage, wall, cpu)
	}

	var b *browser.Browser
	m, err := measure(func() (err error) { b, err = browser.Launch(ctx, c.Browser(1)); return err })
	if err != nil {
		return err
	}
	defer b.Close()
	row("start Chromium, in all", 1, m)
	var player *capture.Player
	open := func() (err error) { player, err = capture.Open(ctx, b, c, render.Options(spec.Config)); return err }
	if m, err = measure(open); err != nil {
		return err
	}
	row("load the page, in all", 1, m)

	pictures := make([][]byte, 0, frames)
	repeated := 0
	if m, err = measure(func() error {
		return player.Play(ctx, 0, frames, job.StartStep, func(f capture.Frame) error {
			pictures = append(pictures, f.PNG)
			if f.Repeated {
				repeated++
			}
			return nil
		})
	}); err != nil {
		return err
	}
	row("capture", frames, m)
	player.Close()
	if err := open(); err != nil {
		return err
	}
	if m, err = measure(func() error {
		return player.Play(ctx, frames, 1, job.StartStep, func(capture.Frame) error { return nil })
	}); err != nil {
		return err
	}
	row("step without a picture", frames, m)
	player.Close()

	if m, err = measure(func() error { return encodeAll(ctx, spec.Config, pictures, filepath.Join(dir, "encoded.mp4")) }); err != nil {
		return err
	}
	row("encode", frames, m)

	for workers := 1; workers <= runtime.NumCPU(); workers++ {
		if err := benchJob(ctx, out, dir, page, c, frames, workers); err != nil {
			return err
		}
	}
	return nil
}

func newSpec(page string, frames int64, partitions int) (*job.Spec, error) {
	return plan.New(plan.Options{Input: page, Width: 1920, Height: 1080, FrameCount: frames, Concurrency: partitions, Start: job.StartJump})
}

func encodeAll(ctx context.Context, c job.Config, pictures [][]byte, path string) error {
	e, err := encode.Start(ctx, c, "", path)
	if err != nil {
		return err
	}
	defer e.Abort()
	for _, png := range pictures {
		if err := e.WriteFrame(png); err != nil {
			return err
		}
	}
	return e.Close()
}

// benchJob renders a page as `helios render` does, with so many workers.
func benchJob(ctx context.Context, out io.Writer, dir, page string, c capture.Composition, frames int64, workers int) error {
	spec, err := newSpec(page, frames, workers)
	if err != nil {
		return err
	}
	var first time.Duration
	began := time.Now()
	j := &render.Job{
		Spec: spec, Composition: c, Chunks: store.Dir(dir), Output: filepath.Join(dir, "output.mp4"),
		Workers: workers, Merge: true, Overwrite: true,
		Report: func(e render.Event) {
			if first == 0 && e.Type == render.FrameDone {
				first = time.Since(began)
			}
		},
	}
	peak, stop := watchMemory()
	// Chromium's time is lost with it, so what it used is read while it lives.
	cpu := watchCPU()
	err = j.Run(ctx)
	used := cpu()
	stop()
	if err != nil {
		return err
	}
	wall, busy := measurement{time.Since(began), used}.perFrame(frames)
	fmt.Fprintf(out, "%s\trender, %d workers\t%.1f wall\t%.1f CPU\tfirst frame after %d ms, %d MB at most\t\n",
		filepath.Base(page), workers, wall, busy, first.Milliseconds(), peak()>>20)
	return os.Remove(j.Output)
}
