package render

import (
	"context"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/job"
)

// CaptureAuto lets Prepare choose how pictures are taken.
const CaptureAuto job.Capture = "auto"

// worthChoosing is how many pixels the frames of a job must have together before the fastest way saves the time that it
// takes to find it: fifty frames of 1080p, or so.
const worthChoosing = 100_000_000

// chooseCapture finds the fastest way to take the pictures of a job, with a browser and one more.
func chooseCapture(ctx context.Context, browsers *Browsers, b *browser.Browser, c capture.Composition, config job.Config, report *capture.Report, start job.Start) (way job.Capture, why string, err error) {
	switch {
	case config.Scale != 1:
		return job.CaptureReference, "only the reference can scale", nil
	case config.Transparent:
		return job.CaptureReference, "only the reference keeps transparency", nil
	case config.FrameCount*int64(config.Width)*int64(config.Height) < worthChoosing:
		return job.CaptureReference, "to compare the other ways would take longer than the few pixels that there are", nil
	}
	err = browsers.with(ctx, func(other *browser.Browser) error {
		way, why, err = capture.Choose(ctx, b, other, c, Options(config), report, compared(config.StartFrame, config.FrameCount, start))
		return err
	})
	return way, why, err
}

// compared returns the frames at which ways are compared for so many frames from the first on.
func compared(first, count int64, start job.Start) []int64 {
	last := first + count - 1
	if start == job.StartStep {
		// To jump far may take a page long.
		first = min(first, sampleReach)
		last = min(last, first+sampleReach)
	}
	return spread(first, last)
}

// spread returns the first two frames of a run, the last, and some between them.
func spread(first, last int64) []int64 {
	frames := []int64{first, min(first+1, last)}
	for i := range int64(3) {
		frames = append(frames, first+(last-first)*(i+1)/3)
	}
	return frames
}
