package render

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/plan"
)

// Prepare opens a composition, fills in what the options leave open from what the page says about itself,
// and plans the job. The browsers are those of the composition at the options' scale.
func Prepare(ctx context.Context, browsers *Browsers, o plan.Options, c capture.Composition) (spec *job.Spec, err error) {
	browsers.warm(ctx, min(2, max(1, o.Concurrency)))
	err = browsers.look(ctx, func(b *browser.Browser) error {
		spec, err = prepare(ctx, b, o, c)
		return err
	})
	return spec, err
}

func prepare(ctx context.Context, b *browser.Browser, o plan.Options, c capture.Composition) (*job.Spec, error) {
	report, err := complete(ctx, b, &o, c, o.HasSound())
	if err != nil {
		return nil, err
	}
	if err := findTracks(ctx, b, &o, c, report.Media); err != nil {
		return nil, err
	}
	o.Files = report.Files
	spec, err := plan.New(o)
	if err != nil {
		return nil, err
	}
	if err := encode.Check(spec.Config); err != nil {
		return nil, err
	}
	if !o.SeekMode.IsAuto() {
		return spec, nil
	}
	direct, err := seekable(ctx, b, c, spec, report.Seeks)
	if err != nil || !direct {
		return spec, err
	}
	o.SeekMode = job.SeekDirect
	return plan.New(o)
}

// complete looks at a page that is to be rendered, and fills in what the options leave open. Where sound is wanted,
// it looks for it up to the end of the output.
func complete(ctx context.Context, b *browser.Browser, o *plan.Options, c capture.Composition, sound bool) (*capture.Report, error) {
	var length func(capture.Attributes) (job.Rate, int64, error)
	if sound {
		length = func(a capture.Attributes) (job.Rate, int64, error) { return heardThrough(*o, a) }
	}
	report, err := capture.InspectThrough(ctx, b, c, lookOptions(*o), length)
	if err != nil {
		return nil, err
	}
	if len(report.Missing) > 0 && !o.AllowMissingAssets {
		return nil, capture.MissingError(report.Missing)
	}
	return report, Complete(o, report.Attributes)
}

// heardThrough returns the rate of an output, and with which frame of the composition it ends; 0 if that is not known,
// which planning will tell.
func heardThrough(o plan.Options, a capture.Attributes) (job.Rate, int64, error) {
	if err := Complete(&o, a); err != nil {
		return job.Rate{}, 0, err
	}
	rate := cmp.Or(o.FPS, plan.DefaultFPS)
	frames := o.FrameCount
	if frames == 0 && !o.Duration.IsZero() {
		frames = job.Frames(o.Duration, rate)
	}
	if frames == 0 {
		return rate, 0, nil
	}
	return rate, o.StartFrame + frames, nil
}

// lookOptions returns the options to open a page with whose own size and rate are not known yet.
func lookOptions(o plan.Options) capture.Options {
	return capture.Options{
		Width: cmp.Or(o.Width, plan.DefaultWidth), Height: cmp.Or(o.Height, plan.DefaultHeight),
		FPS: cmp.Or(o.FPS, plan.DefaultFPS), Seed: o.Seed, Props: o.Props, AllowMissing: true,
		Timeout: cmp.Or(o.Timeout, plan.DefaultTimeout).Duration(),
	}
}

// Complete fills in the options that were left out from the page's attributes.
func Complete(o *plan.Options, a capture.Attributes) error {
	bad := func(name, value string, err error) error {
		return fault.Userf("the page's data-%s is %q: %w", name, value, err)
	}
	if o.FPS.IsZero() && a.FPS != "" {
		if err := o.FPS.UnmarshalText([]byte(a.FPS)); err != nil {
			return bad("fps", a.FPS, err)
		}
	}
	if o.Duration.IsZero() && o.FrameCount == 0 && a.Duration != "" {
		if err := o.Duration.UnmarshalText([]byte(a.Duration)); err != nil {
			return bad("duration", a.Duration, err)
		}
	}
	for _, side := range []struct {
		name, value string
		option      *int
	}{{"width", a.Width, &o.Width}, {"height", a.Height, &o.Height}} {
		if *side.option != 0 || side.value == "" {
			continue
		}
		n, err := strconv.Atoi(side.value)
		if err != nil || n < 1 {
			return fault.Userf("the page's data-%s is %q; it must be a number of pixels", side.name, side.value)
		}
		*side.option = n
	}
	return nil
}

const (
	// worthProving is how many frames the last partition must be away from the start of the page before
	// a replay costs more than to find out whether the page is seekable: about two seconds.
	worthProving = 300
	// sampleReach is how far into the composition the samples of the proof reach.
	sampleReach = 600
)

// seekable reports whether partitions may seek directly to their first frame.
func seekable(ctx context.Context, b *browser.Browser, c capture.Composition, spec *job.Spec, seeks bool) (bool, error) {
	last := spec.Partitions[len(spec.Partitions)-1].StartFrame
	if seeks || last < worthProving {
		return seeks, nil
	}
	return capture.Seekable(ctx, b, c, Options(spec.Config), Samples(spec.Config.StartFrame+spec.Config.FrameCount))
}

// Samples returns the frames at which a direct seek is compared with a replay, for a composition of so many frames.
func Samples(frames int64) []int64 {
	reach := min(frames, sampleReach) - 1
	return []int64{reach / 7, reach / 3, reach * 2 / 3, reach}
}

// Findings are what a person wants to know of a composition.
type Findings struct {
	// Duration is zero when the page does not tell it; Frames is 0 then.
	Duration job.Seconds `json:"duration,omitzero"`
	Frames   int64       `json:"frames,omitempty"`
	Width    int         `json:"width"`
	Height   int         `json:"height"`
	FPS      job.Rate    `json:"fps"`
	// SeekMode is how partitions would reach their first frame, and Why says how that was found.
	SeekMode   job.SeekMode    `json:"seekMode"`
	Why        string          `json:"why"`
	Animations []string        `json:"animations"`
	Assets     []browser.Asset `json:"assets"`
	Missing    []browser.Asset `json:"missing"`
}

// unknownLength is how many frames of a composition of unknown length are tried.
const unknownLength = 90

// Inspect finds out about a composition. Of the options, those count that say how the page is opened.
func Inspect(ctx context.Context, o plan.Options, c capture.Composition) (f Findings, err error) {
	browsers := NewBrowsers(c, o.Scale)
	defer browsers.Close()
	err = browsers.look(ctx, func(b *browser.Browser) error {
		f, err = inspect(ctx, b, o, c)
		return err
	})
	return f, err
}

func inspect(ctx context.Context, b *browser.Browser, o plan.Options, c capture.Composition) (Findings, error) {
	report, err := capture.Inspect(ctx, b, c, lookOptions(o))
	if err != nil {
		return Findings{}, err
	}
	if err := Complete(&o, report.Attributes); err != nil {
		return Findings{}, err
	}
	look := lookOptions(o)
	f := Findings{
		Duration: o.Duration, Width: look.Width, Height: look.Height, FPS: look.FPS,
		Animations: report.Animations, Assets: report.Assets, Missing: report.Missing,
		SeekMode: job.SeekDirect, Why: "the page offers window.helios.seek",
	}
	frames := int64(unknownLength)
	if !o.Duration.IsZero() {
		f.Frames = job.Frames(o.Duration, look.FPS)
		frames = f.Frames
	}
	if !report.Seeks {
		samples := Samples(frames)
		same, err := capture.Seekable(ctx, b, c, look, samples)
		if err != nil {
			return Findings{}, err
		}
		f.Why = fmt.Sprintf("a direct seek and a replay show the same at frames %v", samples)
		if !same {
			f.SeekMode, f.Why = job.SeekReplay, fmt.Sprintf("a direct seek and a replay differ at frames %v", samples)
		}
	}
	return f, nil
}
