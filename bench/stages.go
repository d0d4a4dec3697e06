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

// maxBuffered limits the frames in memory.
const maxBuffered = 30

// stages measures the stages of rendering one page.
type stages struct {
	ctx     context.Context
	page    capture.Composition
	options plan.Options
	dir     string
	table   *table
}

func benchPage(ctx context.Context, t *table, dir, page string, frames int64) error {
	c, err := capture.Locate("", page)
	if err != nil {
		return err
	}
	s := &stages{ctx: ctx, page: c, dir: dir, table: t, options: plan.Options{Config: job.Config{
		Input: page, Width: 1920, Height: 1080, FrameCount: frames, SeekMode: job.SeekDirect,
	}}}
	if err := s.addTracks(); err != nil {
		return err
	}
	if err := s.measureStages(); err != nil {
		return err
	}
	return s.measureRenders()
}

// addTracks adds the tracks of the page to the options, so that renders contain its sound.
func (s *stages) addTracks() error {
	browsers := render.NewBrowserPool(s.page, 1)
	defer browsers.Close()
	spec, err := render.Plan(s.ctx, browsers, s.options, s.page)
	if err == nil && spec.Audio != nil {
		s.options.Tracks = spec.Audio.Tracks
	}
	return err
}

func (s *stages) plan(mode job.Capture, workers int) (*job.Spec, error) {
	o := s.options
	o.Capture, o.Concurrency = mode, workers
	return plan.New(o)
}

// measureStages measures one stage after the other. They start at frame 1, because opening a page draws frame 0. Its
// browser ends before the renders, which would otherwise include its memory.
func (s *stages) measureStages() error {
	b, err := browser.Launch(s.ctx, s.page.BrowserOptions(1))
	if err != nil {
		return err
	}
	defer b.Close()
	frames := s.options.FrameCount
	captureFrames := func(p *capture.Player) error {
		return p.Play(s.ctx, 1, frames, job.SeekReplay, func(capture.Frame) error { return nil })
	}
	for _, stage := range []struct {
		name string
		mode job.Capture
		run  func(*capture.Player) error
	}{
		{paintStage, job.CaptureScreenshot, func(p *capture.Player) error { return p.Draw(s.ctx, 1+frames) }},
		{captureStage(job.CaptureStream), job.CaptureStream, captureFrames},
		{captureStage(job.CaptureScreenshot), job.CaptureScreenshot, captureFrames},
		{"replay", job.CaptureStream, func(p *capture.Player) error {
			return p.Play(s.ctx, 1+frames, 0, job.SeekReplay, nil)
		}},
	} {
		m, err := s.play(b, stage.mode, stage.run)
		if err != nil {
			return err
		}
		s.table.add(stage.name, frames, m)
	}
	for _, mode := range []job.Capture{job.CaptureStream, job.CaptureScreenshot} {
		if err := s.measureEncoder(b, mode); err != nil {
			return err
		}
	}
	return nil
}

// play opens the page and measures f.
func (s *stages) play(b *browser.Browser, mode job.Capture, f func(*capture.Player) error) (m measurement, err error) {
	spec, err := s.plan(mode, 1)
	if err != nil {
		return m, err
	}
	p, err := capture.Open(s.ctx, b, s.page, render.CaptureOptions(spec.Config))
	if err != nil {
		return m, err
	}
	defer p.Close()
	return measure(func() error { return f(p) })
}

func (s *stages) measureEncoder(b *browser.Browser, mode job.Capture) error {
	var frames []capture.Frame
	if _, err := s.play(b, mode, func(p *capture.Player) error {
		count := min(s.options.FrameCount, maxBuffered)
		return p.Play(s.ctx, 0, count, job.SeekReplay, func(f capture.Frame) error {
			f.Pixels = bytes.Clone(f.Pixels)
			frames = append(frames, f)
			return nil
		})
	}); err != nil {
		return err
	}
	spec, err := s.plan(mode, 1)
	if err != nil {
		return err
	}
	m, err := measure(func() error {
		return encodeAll(s.ctx, spec.Config, frames, filepath.Join(s.dir, "encoded.mp4"))
	})
	s.table.add("encode, "+string(mode), int64(len(frames)), m)
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

func (s *stages) measureRenders() error {
	for _, r := range []struct {
		mode    job.Capture
		workers int
	}{{job.CaptureStream, 1}, {job.CaptureStream, 2}, {job.CaptureScreenshot, 1}} {
		m, err := s.render(r.mode, r.workers)
		if err != nil {
			return err
		}
		s.table.add(renderStage(r.mode, r.workers), s.options.FrameCount, m)
	}
	return nil
}

// render renders the page like `helios render`.
func (s *stages) render(mode job.Capture, workers int) (m measurement, err error) {
	spec, err := s.plan(mode, workers)
	if err != nil {
		return m, err
	}
	var firstFrame time.Duration
	start := time.Now()
	j := &render.Job{
		Spec: spec, Composition: s.page, Chunks: store.Dir(s.dir), Output: filepath.Join(s.dir, "output.mp4"),
		Workers: workers, Merge: true,
		Report: func(e render.Event) {
			if firstFrame == 0 && e.Type == render.FrameDone {
				firstFrame = time.Since(start)
			}
		},
	}
	stop := startSampling()
	err = j.Run(s.ctx)
	m = stop()
	m.firstFrame = firstFrame
	if err != nil {
		return m, err
	}
	return m, os.Remove(j.Output)
}
