package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"time"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/encode"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/render"
	"helios/shared/store"
)

// maxHeld is how many frames are held in memory at once.
const maxHeld = 30

// stages measures the stages of rendering one page.
type stages struct {
	ctx     context.Context
	c       capture.Composition
	options plan.Options
	dir     string
	table   *table
}

func benchPage(ctx context.Context, t *table, dir, page string, frames int64) error {
	c, err := capture.Locate("", page)
	if err != nil {
		return err
	}
	s := &stages{ctx, c, plan.Options{Config: job.Config{Input: page, Width: 1920, Height: 1080, FrameCount: frames, SeekMode: job.SeekDirect}}, dir, t}
	if err := s.findSound(); err != nil {
		return err
	}
	if err := s.single(); err != nil {
		return err
	}
	return s.renders()
}

// findSound finds the sound of the page, so that renders include it.
func (s *stages) findSound() error {
	browsers := render.NewBrowserPool(s.c, 1)
	defer browsers.Close()
	spec, err := render.Plan(s.ctx, browsers, s.options, s.c)
	if err == nil && spec.Audio != nil {
		s.options.Tracks = spec.Audio.Tracks
	}
	return err
}

// plan plans a render in a capture mode.
func (s *stages) plan(mode job.Capture, workers int) (*job.Spec, error) {
	o := s.options
	o.Capture, o.Concurrency = mode, workers
	return plan.New(o)
}

// single measures the stages one by one, from frame 1, because opening a page draws frame 0. The browser ends before the
// renders, which would count its memory.
func (s *stages) single() error {
	b, err := browser.Launch(s.ctx, s.c.Browser(1))
	if err != nil {
		return err
	}
	defer b.Close()
	frames := s.options.FrameCount
	captured := func(p *capture.Player) error {
		return p.Play(s.ctx, 1, frames, job.SeekReplay, func(capture.Frame) error { return nil })
	}
	for _, stage := range []struct {
		name string
		mode job.Capture
		do   func(*capture.Player) error
	}{
		{paint, job.CaptureScreenshot, func(p *capture.Player) error { return p.Draw(s.ctx, 1+frames) }},
		{capturing(job.CaptureStream), job.CaptureStream, captured},
		{capturing(job.CaptureScreenshot), job.CaptureScreenshot, captured},
		{"skip a frame", job.CaptureStream, func(p *capture.Player) error { return p.Play(s.ctx, 1+frames, 0, job.SeekReplay, nil) }},
	} {
		m, err := s.play(b, stage.mode, stage.do)
		if err != nil {
			return err
		}
		s.table.add(stage.name, frames, m)
	}
	for _, mode := range []job.Capture{job.CaptureStream, job.CaptureScreenshot} {
		if err := s.encode(b, mode); err != nil {
			return err
		}
	}
	return nil
}

// play opens the page and measures what is then done with it.
func (s *stages) play(b *browser.Browser, mode job.Capture, do func(*capture.Player) error) (m measurement, err error) {
	spec, err := s.plan(mode, 1)
	if err != nil {
		return m, err
	}
	p, err := capture.Open(s.ctx, b, s.c, render.CaptureOptions(spec.Config))
	if err != nil {
		return m, err
	}
	defer p.Close()
	return measure(func() error { return do(p) })
}

// encode measures the encoder alone.
func (s *stages) encode(b *browser.Browser, mode job.Capture) error {
	var held []capture.Frame
	if _, err := s.play(b, mode, func(p *capture.Player) error {
		return p.Play(s.ctx, 0, min(s.options.FrameCount, maxHeld), job.SeekReplay, func(f capture.Frame) error {
			f.Pixels = bytes.Clone(f.Pixels)
			held = append(held, f)
			return nil
		})
	}); err != nil {
		return err
	}
	spec, err := s.plan(mode, 1)
	if err != nil {
		return err
	}
	m, err := measure(func() error { return encodeAll(s.ctx, spec.Config, held, filepath.Join(s.dir, "encoded.mp4")) })
	s.table.add("encode, "+string(mode), int64(len(held)), m)
	return err
}

func encodeAll(ctx context.Context, c job.Config, frames []capture.Frame, path string) error {
	e, err := encode.Start(ctx, c, "", path)
	if err != nil {
		return err
	}
	defer e.Abort()
	for i, f := range frames {
		if f.Repeated && i < len(frames)-1 {
			e.RepeatFrame()
		} else if err := e.WriteFrame(f.Data()); err != nil {
			return err
		}
	}
	return e.Close()
}

// renders measures whole renders.
func (s *stages) renders() error {
	for _, r := range []struct {
		mode    job.Capture
		workers int
	}{{job.CaptureStream, 1}, {job.CaptureStream, 2}, {job.CaptureScreenshot, 1}} {
		m, err := s.render(r.mode, r.workers)
		if err != nil {
			return err
		}
		s.table.add(rendering(r.mode, r.workers), s.options.FrameCount, m)
	}
	return nil
}

// render renders the page as `helios render` does.
func (s *stages) render(mode job.Capture, workers int) (m measurement, err error) {
	spec, err := s.plan(mode, workers)
	if err != nil {
		return m, err
	}
	var first time.Duration
	began := time.Now()
	j := &render.Job{
		Spec: spec, Composition: s.c, Chunks: store.Dir(s.dir), Output: filepath.Join(s.dir, "output.mp4"),
		Workers: workers, Merge: true,
		Report: func(e render.Event) {
			if first == 0 && e.Type == render.FrameDone {
				first = time.Since(began)
			}
		},
	}
	stop := watch()
	err = j.Run(s.ctx)
	m = stop()
	m.first = first
	if err != nil {
		return m, err
	}
	return m, os.Remove(j.Output)
}
