package capture

import (
	"context"

	"helios/shared/browser"
	"helios/shared/job"
)

// navigateOnStage opens the page in a frame inside a canvas.
func (p *Player) navigateOnStage(ctx context.Context, c Composition) error {
	if c.URL != "" {
		return unfit(job.CaptureElements, "the composition is not local")
	}
	if err := p.page.Navigate(ctx, browser.OnStage(c.address())); err != nil {
		return err
	}
	frame, err := p.page.Child(ctx)
	p.main, p.clock.world, p.frame = frame.Own, frame.Isolated, frame.ID
	return err
}
