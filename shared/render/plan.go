package render

import (
	"cmp"
	"context"
	"strconv"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/plan"
)

// Plan plans the job of a composition. It opens the page to find the settings that the options do not contain: size,
// frame rate, duration, audio tracks, and whether partitions may seek directly.
func Plan(
	ctx context.Context, browsers *BrowserPool, o plan.Options, c capture.Composition,
) (spec *job.Spec, err error) {
	browsers.warm(ctx, min(2, max(1, o.Concurrency)))
	err = browsers.use(ctx, func(b *browser.Browser) error {
		spec, err = planJob(ctx, b, o, c)
		return err
	})
	return spec, err
}

func planJob(ctx context.Context, b *browser.Browser, o plan.Options, c capture.Composition) (*job.Spec, error) {
	report, err := inspectPage(ctx, b, &o, c, o.HasSound())
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
	direct, err := canSeekDirectly(ctx, b, c, spec, report.Seeks)
	if err != nil || !direct {
		return spec, err
	}
	o.SeekMode = job.SeekDirect
	return plan.New(o)
}

// inspectPage opens a page that will be rendered, and fills in the options from its attributes. With sound, it also
// finds what the page plays later, up to the end of the output.
func inspectPage(
	ctx context.Context, b *browser.Browser, o *plan.Options, c capture.Composition, sound bool,
) (*capture.PageInfo, error) {
	var length capture.Length
	if sound {
		length = func(a capture.Attributes) (job.Rate, int64, error) { return endOf(*o, a) }
	}
	report, err := capture.Inspect(ctx, b, c, inspectOptions(*o), length)
	if err != nil {
		return nil, err
	}
	if len(report.Missing) > 0 && !o.AllowMissingAssets {
		return nil, capture.MissingError(report.Missing)
	}
	return report, applyAttributes(o, report.Attributes)
}

// endOf returns the frame rate of an output and the frame of the composition at which it ends. The frame is 0 if the
// length is unknown: planning reports that.
func endOf(o plan.Options, a capture.Attributes) (job.Rate, int64, error) {
	if err := applyAttributes(&o, a); err != nil {
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

// inspectOptions returns the capture options to inspect a page. It uses defaults for the size and the frame rate if the
// options do not contain them.
func inspectOptions(o plan.Options) capture.Options {
	return capture.Options{
		Width: cmp.Or(o.Width, plan.DefaultWidth), Height: cmp.Or(o.Height, plan.DefaultHeight),
		FPS: cmp.Or(o.FPS, plan.DefaultFPS), Seed: o.Seed, Props: o.Props, AllowMissing: true,
		Timeout: cmp.Or(o.Timeout, plan.DefaultTimeout).Duration(),
	}
}

// applyAttributes fills in the options that are not set from the attributes of the page.
func applyAttributes(o *plan.Options, a capture.Attributes) error {
	invalid := func(name, value string, err error) error {
		return fault.Userf("the page's data-%s is %q: %w", name, value, err)
	}
	if o.FPS.IsZero() && a.FPS != "" {
		if err := o.FPS.UnmarshalText([]byte(a.FPS)); err != nil {
			return invalid("fps", a.FPS, err)
		}
	}
	if o.Duration.IsZero() && o.FrameCount == 0 && a.Duration != "" {
		if err := o.Duration.UnmarshalText([]byte(a.Duration)); err != nil {
			return invalid("duration", a.Duration, err)
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
	// minReplay is the number of frames whose replay takes as long as testing whether the page can seek directly: about
	// two seconds. If the last partition replays fewer frames, the test is skipped.
	minReplay = 300
	// maxSample limits the samples to the first frames of a composition, because the test replays them.
	maxSample = 600
)

// canSeekDirectly reports whether partitions may seek directly to their first frame.
func canSeekDirectly(
	ctx context.Context, b *browser.Browser, c capture.Composition, spec *job.Spec, seeks bool,
) (bool, error) {
	last := spec.Partitions[len(spec.Partitions)-1].StartFrame
	if seeks || last < minReplay {
		return seeks, nil
	}
	end := spec.Config.StartFrame + spec.Config.FrameCount
	return capture.Seekable(ctx, b, c, CaptureOptions(spec.Config), sampleFrames(end))
}

// sampleFrames returns the frames at which a direct seek is compared with a replay, for a composition of that length.
func sampleFrames(length int64) []int64 {
	last := min(length, maxSample) - 1
	return []int64{last / 7, last / 3, last * 2 / 3, last}
}
