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

// Picture says which picture of a composition is wanted, and how it is kept.
type Picture struct {
	// Options contain the settings of the page; what they leave out the page says. The seek mode [job.SeekAuto] is
	// direct if the page offers window.helios.seek.
	Options plan.Options
	// At is the time in the composition; the frame that is shown then is taken.
	At job.Seconds
	// FullPage takes the whole height of the page, not only what is in sight.
	FullPage bool
	// Quality is from 0 to 100, for JPEG and WebP.
	Quality int
	// Output is the file, whose suffix says the kind: one of [encode.Stills], or .pdf.
	Output    string
	Overwrite bool
}

// Still writes one picture of a composition.
func Still(ctx context.Context, c capture.Composition, s Picture) error {
	if suffix := strings.ToLower(filepath.Ext(s.Output)); !s.pdf() && !slices.Contains(encode.Stills, suffix) {
		return fault.Userf("%s is no kind of picture that can be written; name it %s or .pdf", s.Output, strings.Join(encode.Stills, ", "))
	}
	if err := CheckOutput(s.Output, s.Overwrite); err != nil {
		return err
	}
	browsers := NewBrowsers(c, s.Options.Scale)
	defer browsers.Close()
	var picture []byte
	err := browsers.look(ctx, func(b *browser.Browser) (err error) {
		picture, err = s.take(ctx, b, c)
		return err
	})
	if err != nil {
		return err
	}
	w, err := store.Dir("").CreateFile(s.Output)
	if err != nil {
		return fault.Userf("writing %s: %w", s.Output, err)
	}
	defer w.Abort()
	if s.pdf() {
		_, err = w.Write(picture)
	} else {
		err = encode.Still(ctx, picture, filepath.Ext(s.Output), s.Quality, w.Name())
	}
	if err != nil {
		return err
	}
	return commit(w, store.Dir(""), s.Output, s.Overwrite)
}

func (s *Picture) pdf() bool { return strings.EqualFold(filepath.Ext(s.Output), ".pdf") }

// take returns the picture as a PNG, or the PDF.
func (s *Picture) take(ctx context.Context, b *browser.Browser, c capture.Composition) ([]byte, error) {
	o := s.Options
	report, err := complete(ctx, b, &o, c, false)
	if err != nil {
		return nil, err
	}
	opened := lookOptions(o)
	opened.AllowMissing, opened.Transparent = o.AllowMissingAssets, o.Transparent
	mode := o.SeekMode
	switch {
	case !mode.IsAuto():
	case report.Seeks:
		mode = job.SeekDirect
	default:
		mode = job.SeekReplay
	}
	player, err := capture.Open(ctx, b, c, opened)
	if err != nil {
		return nil, err
	}
	defer func() { player.Close() }()
	if s.FullPage {
		if opened.Height, err = player.ContentHeight(ctx); err != nil {
			return nil, err
		}
		player.Close()
		if player, err = capture.Open(ctx, b, c, opened); err != nil {
			return nil, err
		}
	}
	png, err := player.Show(ctx, frameAt(s.At, opened.FPS), mode)
	if err != nil || !s.pdf() {
		return png, err
	}
	return player.PDF(ctx)
}

// frameAt returns the frame that is shown at a time: the last that began before, or just then.
func frameAt(at job.Seconds, fps job.Rate) int64 {
	frames := new(big.Rat).Mul(at.Rat(), big.NewRat(fps.Num, fps.Den))
	return new(big.Int).Quo(frames.Num(), frames.Denom()).Int64()
}
