package capture

import (
	"context"
	"strconv"

	"helios/shared/browser"
	"helios/shared/fault"
	"helios/shared/job"
)

// Media is an <audio> or <video> element of a page, with what its attributes say of when and how it is played. One
// that is paused or sought and goes on is another Media from there.
type Media struct {
	// Kind is audio or video.
	Kind string `json:"kind"`
	// URL is the address of what it plays; for a local composition, the path in its folder.
	URL string `json:"url"`
	// File is the path of the file in the composition's folder; empty for what is elsewhere.
	File string `json:"-"`
	// ID is data-helios-track-id.
	ID string `json:"id,omitempty"`
	// Offset is when it begins to play, in the composition's time.
	Offset job.Seconds `json:"offset,omitzero"`
	// Seek is where in the source it begins. One that loops goes back to the start of the source.
	Seek job.Seconds `json:"seek,omitzero"`
	// Duration is how long it is heard; zero is until the source ends.
	Duration job.Seconds `json:"duration,omitzero"`
	// Volume is a factor, 0 to 10.
	Volume float64 `json:"volume"`
	// FadeIn and FadeOut are the lengths of the fades at the two ends.
	FadeIn  job.Seconds `json:"fadeIn,omitzero"`
	FadeOut job.Seconds `json:"fadeOut,omitzero"`
	// Loop says that it starts again when it ends.
	Loop bool `json:"loop,omitempty"`
	// Rate is the speed, 0.0625 to 16.
	Rate float64 `json:"rate"`
	// Silent says that it gives no sound: it is muted, or has data-helios-no-audio.
	Silent bool `json:"silent,omitempty"`
}

// mediaElement is a Media as the page tells it.
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

// mediaList returns what was heard of the media elements of the page so far, in the order in which it began, and of
// those that are there before frame 0 in that of the document; elements that play without being in it come last.
func (p *Player) mediaList(ctx context.Context) ([]Media, error) {
	var list []mediaElement
	if err := p.main.Evaluate(ctx, mediaWorld+".heard()", &list); err != nil {
		return nil, err
	}
	media := make([]Media, len(list))
	for i, d := range list {
		m, err := d.media()
		if err != nil {
			return nil, err
		}
		media[i] = m
	}
	return media, nil
}

func (d mediaElement) media() (m Media, err error) {
	m = Media{Kind: d.Kind, ID: d.ID, Loop: d.Loop, Silent: d.Muted}
	m.URL, m.File = browser.AssetName(d.URL)
	for _, a := range []struct {
		name, text string
		to         *job.Seconds
	}{
		{"offset", d.Offset, &m.Offset}, {"seek", d.Seek, &m.Seek}, {"duration", d.Duration, &m.Duration},
		{"fade-in", d.FadeIn, &m.FadeIn}, {"fade-out", d.FadeOut, &m.FadeOut},
	} {
		if a.text == "" {
			continue
		}
		if *a.to, err = job.ParseSeconds(a.text); err != nil {
			return m, fault.Userf("data-helios-%s of the %s element with %.200s: %w", a.name, d.Kind, m.URL, err)
		}
	}
	for _, a := range []struct {
		name, text string
		low, high  float64
		to         *float64
	}{{"volume", d.Volume, 0, 10, &m.Volume}, {"rate", d.Rate, 0.0625, 16, &m.Rate}} {
		n, err := strconv.ParseFloat(a.text, 64)
		if err != nil || !(n >= a.low && n <= a.high) {
			return m, fault.Userf("the %s of the %s element with %.200s is %.40q; give a number from %g to %g", a.name, d.Kind, m.URL, a.text, a.low, a.high)
		}
		*a.to = n
	}
	return m, nil
}
