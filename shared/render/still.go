package render

import (
	"context"
	"math/big"
	"path/filepath"
	"slices"
	"strings"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/store"
)

// StillOptions are the frame of a composition to capture, and where to write it.
type StillOptions struct {
	// Options contain the settings of the page. The attributes of the page are the defaults. [job.SeekAuto] selects a
	// direct seek if the page has window.helios.seek, and a replay otherwise.
	Options plan.Options
	// At is a time in the composition. The frame that is visible then is captured.
	At job.Seconds
	// FullPage captures the whole height of the page, not only the viewport.
	FullPage bool
	// Quality is from 0 to 100, for JPEG and WebP.
	Quality int
	// Output is the file to write. Its suffix selects the format: one of [encode.Stills], or .pdf.
	Output string
	// Overwrite lets the output replace an existing file.
	Overwrite bool
}

// CaptureStill captures one frame of a composition as an image or a PDF.
func CaptureStill(ctx context.Context, c capture.Composition, o StillOptions) error {
	if suffix := strings.ToLower(filepath.Ext(o.Output)); !o.isPDF() && !slices.Contains(encode.Stills, suffix) {
		return fault.Userf("%s: %q is not supported; use %s or .pdf", o.Output, suffix, strings.Join(encode.Stills, ", "))
	}
	if err := CheckOutput(o.Output, o.Overwrite); err != nil {
		return err
	}
	browsers := NewBrowserPool(c, o.Options.Scale)
	defer browsers.Close()
	var still []byte
	err := browsers.use(ctx, func(b *browser.Browser) (err error) {
		still, err = o.capture(ctx, b, c)
		return err
	})
	if err != nil {
		return err
	}
	w, err := store.Dir("").CreateFile(o.Output)
	if err != nil {
		return fault.Userf("writing %s: %w", o.Output, err)
	}
	defer w.Abort()
	if o.isPDF() {
		_, err = w.Write(still)
	} else {
		err = encode.Still(ctx, still, filepath.Ext(o.Output), o.Quality, w.Name())
	}
	if err != nil {
		return err
	}
	return commit(w, store.Dir(""), o.Output, o.Overwrite)
}

func (o *StillOptions) isPDF() bool { return strings.EqualFold(filepath.Ext(o.Output), ".pdf") }

// capture returns the frame as a PNG or a PDF.
func (o *StillOptions) capture(ctx context.Context, b *browser.Browser, c capture.Composition) ([]byte, error) {
	settings := o.Options
	report, err := inspectPage(ctx, b, &settings, c, false)
	if err != nil {
		return nil, err
	}
	options := inspectOptions(settings)
	options.AllowMissing, options.Transparent = settings.AllowMissingAssets, settings.Transparent
	mode := settings.SeekMode
	switch {
	case !mode.IsAuto():
	case report.Seeks:
		mode = job.SeekDirect
	default:
		mode = job.SeekReplay
	}
	player, err := capture.Open(ctx, b, c, options)
	if err != nil {
		return nil, err
	}
	defer func() { player.Close() }()
	if o.FullPage {
		if options.Height, err = player.ContentHeight(ctx); err != nil {
			return nil, err
		}
		player.Close()
		if player, err = capture.Open(ctx, b, c, options); err != nil {
			return nil, err
		}
	}
	png, err := player.Show(ctx, frameAt(o.At, options.FPS), mode)
	if err != nil || !o.isPDF() {
		return png, err
	}
	return player.PDF(ctx)
}

// frameAt returns the frame that is visible at a time: the last one that starts at or before it.
func frameAt(at job.Seconds, fps job.Rate) int64 {
	frames := new(big.Rat).Mul(at.Rat(), big.NewRat(fps.Num, fps.Den))
	return new(big.Int).Quo(frames.Num(), frames.Denom()).Int64()
}
