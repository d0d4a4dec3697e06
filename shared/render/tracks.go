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

// findTracks adds a track to the options for each media element of the page that has sound.
func findTracks(
	ctx context.Context, b *browser.Browser, o *plan.Options, c capture.Composition, media []capture.Media,
) error {
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
			return fault.Userf("missing %s %s (%w); add it, or use --allow-missing-assets to render without it",
				m.Kind, m.URL, err)
		}
		hasSound, err := audio.HasSound(ctx, file)
		if err != nil {
			return fault.Userf("the %s element with %s: %w", m.Kind, m.URL, err)
		}
		if !hasSound {
			continue
		}
		source := m.URL
		if m.File != "" {
			if source, err = trackSource(o, c, m.File); err != nil {
				return err
			}
		}
		tracks = append(tracks, job.Track{
			Source: source, Offset: m.Offset, Seek: m.Seek, Duration: m.Duration, Volume: m.Volume,
			FadeIn: m.FadeIn, FadeOut: m.FadeOut, Loop: m.Loop, Rate: trackRate(m.Rate),
		})
	}
	o.Tracks = tracks
	return nil
}

// trackRate returns 0, the default, for normal speed.
func trackRate(r float64) float64 {
	if r == 1 {
		return 0
	}
	return r
}

// trackSource returns the path or URL at which workers find a file of the composition's folder.
func trackSource(o *plan.Options, c capture.Composition, file string) (string, error) {
	input, err := o.Composition()
	if err != nil {
		return "", err
	}
	if addr.IsS3(input) {
		located, err := capture.Locate("", input)
		return located.S3 + file, err
	}
	if addr.IsHTTP(input) {
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
