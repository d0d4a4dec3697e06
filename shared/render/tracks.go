package render

import (
	"context"
	"net/url"
	"path"
	"path/filepath"
	"slices"

	"helios/shared/addr"
	"helios/shared/audio"
	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/plan"
)

// findTracks adds to the options the sound of the page's own elements, and takes out all that has none, such as
// a video without sound.
func findTracks(ctx context.Context, b *browser.Browser, o *plan.Options, c capture.Composition, media []capture.Media) error {
	if o.Mute {
		o.Tracks = nil
		return nil
	}
	tracks := slices.Clone(o.Tracks)
	for _, m := range media {
		if m.Silent || m.Volume == 0 {
			continue
		}
		address := m.URL
		if m.File != "" {
			address = browser.SiteOrigin + (&url.URL{Path: "/" + m.File}).EscapedPath()
		}
		file, err := b.LocalFile(ctx, address)
		if err != nil {
			if o.AllowMissingAssets {
				continue
			}
			return fault.Userf("missing %s %s (%w); put it in place, or go on without it by --allow-missing-assets", m.Kind, m.URL, err)
		}
		sounds, err := audio.HasSound(ctx, file)
		if err != nil {
			return fault.Userf("the %s element with %s: %w", m.Kind, m.URL, err)
		}
		if !sounds {
			continue
		}
		source := m.URL
		if m.File != "" {
			if source, err = place(o, c, m.File); err != nil {
				return err
			}
		}
		tracks = append(tracks, job.Track{
			Source: source, Offset: m.Offset, Seek: m.Seek, Duration: m.Duration, Volume: m.Volume,
			FadeIn: m.FadeIn, FadeOut: m.FadeOut, Loop: m.Loop, Rate: rate(m.Rate),
		})
	}
	o.Tracks = tracks
	return nil
}

// rate leaves out the usual speed.
func rate(r float64) float64 {
	if r == 1 {
		return 0
	}
	return r
}

// place returns where workers find a file of the composition's folder: beside the page, as a path or an address.
func place(o *plan.Options, c capture.Composition, file string) (string, error) {
	input, err := o.Composition()
	if err != nil {
		return "", err
	}
	if addr.IsS3(input) {
		there, err := capture.Locate("", input)
		return there.S3 + file, err
	}
	if addr.IsRemote(input) {
		base, err := url.Parse(input)
		if err != nil {
			return "", err
		}
		return base.ResolveReference(&url.URL{Path: file}).String(), nil
	}
	if filepath.Clean(c.Input) != filepath.Clean(c.Folder) {
		input = path.Dir(input)
	}
	return path.Join(input, file), nil
}
