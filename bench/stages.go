package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
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

// benchPage measures what each step of a render takes, in the reference way and in the one that is chosen.
func benchPage(ctx context.Context, t *table, dir, page string, frames int64) error {
	c, err := capture.Locate("", page)
	if err != nil {
		return err
	}
	var b *browser.Browser
	m, err := measure(func() (err error) { b, err = browser.Launch(ctx, c.Browser(1)); return err })
	if err != nil {
		return err
	}
	defer b.Close()
	t.add(row{"start Chromium, in all", 1, m, ""})

	s := &stages{ctx: ctx, c: c, b: b, dir: dir, frames: frames}
	var spec *job.Spec
	if m, err = measure(func() (err error) { spec, err = s.choose(page); return err }); err != nil {
		return err
	}
	way := cmp.Or(spec.Config.Capture, job.CaptureReference)
	t.add(row{"look at the page, in all", 1, m, fmt.Sprintf("by way of %s: %s", way, spec.CaptureWhy)})

	reference := spec.Config
	reference.Capture = ""
	if m, err = s.play(reference, func(p *capture.Player) error { return p.Draw(ctx, frames) }); err != nil {
		return err
	}
	t.add(row{painting, frames, m, ""})
	if m, err = s.play(reference, func(p *capture.Player) error {
		return p.Play(ctx, frames, 1, job.StartStep, func(capture.Frame) error { return nil })
	}); err != nil {
		return err
	}
	t.add(row{"step without a picture", frames, m, ""})

	ways := []job.Config{reference}
	if way != job.CaptureReference {
		ways = append(ways, spec.Config)
	}
	for _, config := range ways {
		way := cmp.Or(config.Capture, job.CaptureReference)
		if m, err = s.play(config, func(p *capture.Player) error {
			return p.Play(ctx, 0, frames, config.Start, func(capture.Frame) error { return nil })
		}); err != nil {
			return err
		}
		t.add(row{capturing(way), frames, m, ""})
		note := ""
		if config.Capture != "" {
			worst, err := s.compare(reference, config)
			if err != nil {
				return err
			}
			note = fmt.Sprintf("PSNR at least %.1f dB", worst)
		}
		if m, err = s.encode(config); err != nil {
			return err
		}
		t.add(row{fmt.Sprintf("encode, %s", way), s.sampled(), m, note})
		for workers := 1; workers <= runtime.NumCPU(); workers++ {
			r, err := benchJob(ctx, dir, page, c, config, spec.Audio, workers)
			if err != nil {
				return err
			}
			t.add(r)
		}
	}
	return nil
}

// stages does the steps of a render of one page, one by one.
type stages struct {
	ctx    context.Context
	c      capture.Composition
	b      *browser.Browser
	dir    string
	frames int64
}

// sampled is how many frames are held in memory at once.
func (s *stages) sampled() int64 { return min(s.frames, 30) }

func (s *stages) choose(page string) (*job.Spec, error) {
	o := options(page, s.frames, 1)
	o.Start, o.Capture = render.StartAuto, render.CaptureAuto
	browsers := render.NewBrowsers(s.c, 1)
	defer browsers.Close()
	return render.Prepare(s.ctx, browsers, o, s.c)
}

// play opens the page and measures what is done with it then.
func (s *stages) play(config job.Config, do func(*capture.Player) error) (m measurement, err error) {
	p, err := capture.Open(s.ctx, s.b, s.c, render.Options(config))
	if err != nil {
		return m, err
	}
	defer p.Close()
	return measure(func() error { return do(p) })
}

// shoot keeps some frames.
func (s *stages) shoot(config job.Config) (list []capture.Frame, err error) {
	_, err = s.play(config, func(p *capture.Player) error {
		return p.Play(s.ctx, 0, s.sampled(), job.StartStep, func(f capture.Frame) error {
			f.Pixels = bytes.Clone(f.Pixels)
			list = append(list, f)
			return nil
		})
	})
	return list, err
}

// compare returns the lowest PSNR of the frames of two ways.
func (s *stages) compare(reference, config job.Config) (float64, error) {
	want, err := s.shoot(reference)
	if err != nil {
		return 0, err
	}
	got, err := s.shoot(config)
	if err != nil {
		return 0, err
	}
	worst := math.Inf(1)
	for i, f := range got {
		psnr, err := f.PSNR(want[i])
		if err != nil {
			return 0, err
		}
		worst = min(worst, psnr)
	}
	return worst, nil
}

// encode measures the encoder alone.
func (s *stages) encode(config job.Config) (measurement, error) {
	list, err := s.shoot(config)
	if err != nil {
		return measurement{}, err
	}
	return measure(func() error { return encodeAll(s.ctx, config, list, filepath.Join(s.dir, "encoded.mp4")) })
}

func options(page string, frames int64, partitions int) plan.Options {
	return plan.Options{Input: page, Width: 1920, Height: 1080, FrameCount: frames, Concurrency: partitions, Start: job.StartJump}
}

func encodeAll(ctx context.Context, c job.Config, list []capture.Frame, path string) error {
	e, err := encode.Start(ctx, c, "", path)
	if err != nil {
		return err
	}
	defer e.Abort()
	for i, f := range list {
		if f.Repeated && i < len(list)-1 {
			e.RepeatFrame()
		} else if err := e.WriteFrame(f.Picture()); err != nil {
			return err
		}
	}
	return e.Close()
}

// benchJob renders a page as `helios render` does, with so many workers.
func benchJob(ctx context.Context, dir, page string, c capture.Composition, config job.Config, sound *job.Audio, workers int) (row, error) {
	frames := config.FrameCount
	o := options(page, frames, workers)
	o.Capture = config.Capture
	if sound != nil {
		o.Tracks = sound.Tracks
	}
	spec, err := plan.New(o)
	if err != nil {
		return row{}, err
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
		return row{}, err
	}
	return row{
		rendering(cmp.Or(config.Capture, job.CaptureReference), workers), frames, measurement{time.Since(began), used},
		fmt.Sprintf("first frame after %d ms, %d MB at most", first.Milliseconds(), peak()>>20),
	}, os.Remove(j.Output)
}
