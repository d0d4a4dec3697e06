package render

import (
	"context"
	"fmt"
	"time"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/job"
	"helios/shared/plan"
)

// Inspection describes a composition, from opening its page. [Inspect] and [Measure] fill in different fields.
type Inspection struct {
	// Width, Height and FPS come from the options, or else from the page, or else they are the defaults.
	Width  int      `json:"width"`
	Height int      `json:"height"`
	FPS    job.Rate `json:"fps"`
	// Duration comes from the options, or else from the page. It is zero if neither has one.
	Duration job.Seconds `json:"duration,omitzero"`
	// SeekMode is the seek mode for partitions.
	SeekMode job.SeekMode `json:"seekMode"`

	// Frames, from Inspect, is the duration in frames; 0 if it is unknown.
	Frames int64 `json:"frames,omitempty"`
	// Why, from Inspect, is the reason for the seek mode.
	Why string `json:"why,omitempty"`
	// Animations, Assets and Missing, from Inspect, are those of [capture.PageInfo].
	Animations []string        `json:"animations,omitzero"`
	Assets     []browser.Asset `json:"assets,omitzero"`
	Missing    []browser.Asset `json:"missing,omitzero"`

	// Tracks, from Measure, are the audio tracks of the options and the page.
	Tracks []job.Track `json:"tracks,omitempty"`
	// FrameMS, from Measure, is the time to draw and encode a frame, in milliseconds.
	FrameMS float64 `json:"frameMs,omitempty"`
	// ReplayMS, from Measure, is the time to replay a frame without capturing it, in milliseconds. It is 0 if
	// partitions seek directly.
	ReplayMS float64 `json:"replayMs,omitempty"`
	// Revision, from Measure, is a digest of the local files that the page loaded; "" if it loaded none.
	Revision string `json:"revision,omitempty"`
}

// Pace returns the measured times.
func (i Inspection) Pace() plan.Pace {
	ms := func(x float64) time.Duration { return time.Duration(x * float64(time.Millisecond)) }
	return plan.Pace{Frame: ms(i.FrameMS), Replay: ms(i.ReplayMS)}
}

// Apply fills in the options from the inspection.
func (i Inspection) Apply(o *plan.Options) {
	o.Width, o.Height, o.FPS = i.Width, i.Height, i.FPS
	if o.FrameCount == 0 {
		o.Duration = i.Duration
	}
	o.SeekMode, o.Tracks = i.SeekMode, i.Tracks
}

// assumedLength is the number of frames from which samples are taken if the length of the composition is unknown.
const assumedLength = 90

// Inspect opens a composition and reports what it contains to a user. Missing assets are part of the result. It uses
// only the options of the page: size, frame rate, duration, scale, seed, props and timeout.
func Inspect(ctx context.Context, o plan.Options, c capture.Composition) (Inspection, error) {
	return inspectWith(ctx, o, c, inspect)
}

// inspectWith calls inspect with a browser for the composition.
func inspectWith(
	ctx context.Context, o plan.Options, c capture.Composition,
	inspect func(context.Context, *browser.Browser, plan.Options, capture.Composition) (Inspection, error),
) (i Inspection, err error) {
	browsers := NewBrowserPool(c, o.Scale)
	defer browsers.Close()
	err = browsers.use(ctx, func(b *browser.Browser) error {
		i, err = inspect(ctx, b, o, c)
		return err
	})
	return i, err
}

func inspect(ctx context.Context, b *browser.Browser, o plan.Options, c capture.Composition) (Inspection, error) {
	report, err := capture.Inspect(ctx, b, c, inspectOptions(o), nil)
	if err != nil {
		return Inspection{}, err
	}
	if err := applyAttributes(&o, report.Attributes); err != nil {
		return Inspection{}, err
	}
	page := inspectOptions(o)
	i := Inspection{
		Duration: o.Duration, Width: page.Width, Height: page.Height, FPS: page.FPS,
		Animations: report.Animations, Assets: report.Assets, Missing: report.Missing,
		SeekMode: job.SeekDirect, Why: "the page offers window.helios.seek",
	}
	length := int64(assumedLength)
	if !o.Duration.IsZero() {
		i.Frames = job.Frames(o.Duration, page.FPS)
		length = i.Frames
	}
	if report.Seeks {
		return i, nil
	}
	frames := sampleFrames(length)
	same, err := capture.Seekable(ctx, b, c, page, frames)
	if err != nil {
		return Inspection{}, err
	}
	i.Why = fmt.Sprintf("a direct seek and a replay show the same at frames %v", frames)
	if !same {
		i.SeekMode, i.Why = job.SeekReplay, fmt.Sprintf("a direct seek and a replay differ at frames %v", frames)
	}
	return i, nil
}
