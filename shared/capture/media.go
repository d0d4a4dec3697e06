package capture

import (
	"context"
	"strconv"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

// Media is a continuous part of the playback of an <audio> or <video> element. An element that continues after a pause
// or a seek has another Media.
type Media struct {
	// Kind is audio or video.
	Kind string `json:"kind"`
	// URL is the URL of the source. For a file of a local composition, it is the path in its folder.
	URL string `json:"url"`
	// File is the path of the source in the composition's folder; empty for other sources.
	File string `json:"-"`
	// ID is data-helios-track-id.
	ID string `json:"id,omitempty"`
	// Offset is the time of the composition at which playback starts.
	Offset job.Seconds `json:"offset,omitzero"`
	// Seek is the position in the source at which playback starts. A loop continues at the start of the source.
	Seek job.Seconds `json:"seek,omitzero"`
	// Duration is the length of playback. Zero means until the source ends.
	Duration job.Seconds `json:"duration,omitzero"`
	// Volume is a factor, 0 to 10.
	Volume float64 `json:"volume"`
	// FadeIn and FadeOut are the lengths of the fades.
	FadeIn  job.Seconds `json:"fadeIn,omitzero"`
	FadeOut job.Seconds `json:"fadeOut,omitzero"`
	// Loop reports that the source starts again when it ends.
	Loop bool `json:"loop,omitempty"`
	// Rate is the playback rate, 0.0625 to 16.
	Rate float64 `json:"rate"`
	// Silent reports that the element is muted or has data-helios-no-audio.
	Silent bool `json:"silent,omitempty"`
}

// mediaElement is a Media as media.js describes it: with the values of attributes.
type mediaElement struct {
	Kind     string
	URL      string
	Offset   string
	Seek     string
	Duration string
	Volume   string
	FadeIn   string `json:"fade-in"`
	FadeOut  string `json:"fade-out"`
	ID       string `json:"track-id"`
	Rate     string
	Loop     bool
	Muted    bool
}

// mediaList returns what the page's media elements played so far, ordered by start. Elements that exist before frame 0
// are in document order, followed by those that play outside the document.
func (p *Player) mediaList(ctx context.Context) ([]Media, error) {
	var list []mediaElement
	if err := p.main.Evaluate(ctx, mediaWorld+".playback()", &list); err != nil {
		return nil, err
	}
	media := make([]Media, len(list))
	for i, element := range list {
		m, err := element.media()
		if err != nil {
			return nil, err
		}
		media[i] = m
	}
	return media, nil
}

func (e mediaElement) media() (m Media, err error) {
	m = Media{Kind: e.Kind, ID: e.ID, Loop: e.Loop, Silent: e.Muted}
	m.URL, m.File = browser.AssetName(e.URL)
	for _, a := range []struct {
		name, text string
		to         *job.Seconds
	}{
		{"offset", e.Offset, &m.Offset}, {"seek", e.Seek, &m.Seek}, {"duration", e.Duration, &m.Duration},
		{"fade-in", e.FadeIn, &m.FadeIn}, {"fade-out", e.FadeOut, &m.FadeOut},
	} {
		if a.text == "" {
			continue
		}
		if *a.to, err = job.ParseSeconds(a.text); err != nil {
			return m, fault.Userf("data-helios-%s of the %s element with %.200s: %w", a.name, e.Kind, m.URL, err)
		}
	}
	for _, a := range []struct {
		name, text string
		low, high  float64
		to         *float64
	}{{"volume", e.Volume, 0, 10, &m.Volume}, {"rate", e.Rate, 0.0625, 16, &m.Rate}} {
		n, err := strconv.ParseFloat(a.text, 64)
		if err != nil || !(n >= a.low && n <= a.high) {
			return m, fault.Userf("the %s of the %s element with %.200s is %.40q; use a number from %g to %g",
				a.name, e.Kind, m.URL, a.text, a.low, a.high)
		}
		*a.to = n
	}
	return m, nil
}
