package capture

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"

	"helios/shared/browser"
	"helios/shared/job"
)

// Show returns frame n as a PNG.
func (p *Player) Show(ctx context.Context, n int64, mode job.SeekMode) (png []byte, err error) {
	err = p.Play(ctx, n, 1, mode, func(f Frame) error {
		png = f.PNG
		return nil
	})
	return png, err
}

// ContentHeight returns the height of the page in CSS pixels, including the part below the viewport.
func (p *Player) ContentHeight(ctx context.Context) (height int, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	const scrollHeight = "Math.ceil(Math.max(document.documentElement.scrollHeight, document.body?.scrollHeight ?? 0))"
	err = p.clock.world.Evaluate(ctx, scrollHeight, &height)
	return height, err
}

// inch is one CSS inch in CSS pixels.
const inch = 96.0

// PDF returns the page in its current state on one sheet of its own size, with screen styles.
func (p *Player) PDF(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	media := emulation.SetEmulatedMediaParams{Media: "screen"}
	if _, err := browser.Call(ctx, p.page.Session, emulation.SetEmulatedMedia, media); err != nil {
		return nil, fmt.Errorf("printing the page: %w", err)
	}
	yes, none := true, 0.0
	width, height := float64(p.o.Width)/inch, float64(p.o.Height)/inch
	r, err := browser.Call(ctx, p.page.Session, page.PrintToPDF, page.PrintToPDFParams{
		PrintBackground: &yes, PaperWidth: width, PaperHeight: height,
		MarginTop: &none, MarginBottom: &none, MarginLeft: &none, MarginRight: &none, PageRanges: "1",
	})
	if err != nil {
		return nil, fmt.Errorf("printing the page: %w", err)
	}
	return r.Data, nil
}
