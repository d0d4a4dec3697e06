package job

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Track is a sound in a composition. Times count from the start of the composition.
type Track struct {
	// Source is a file, absolute or relative to the job file, or a URL.
	Source string `json:"source"`
	// Offset is the time at which the track starts.
	Offset Seconds `json:"offset,omitzero"`
	// Seek is the time in the source at which its playback starts.
	Seek Seconds `json:"seek,omitzero"`
	// Duration is the length of the track; zero plays the source to its end.
	Duration Seconds `json:"duration,omitzero"`
	// Volume is a factor, 0 to 10.
	Volume float64 `json:"volume"`
	// FadeIn and FadeOut are the lengths of the fades at the start and the end of the track.
	FadeIn  Seconds `json:"fadeIn,omitzero"`
	FadeOut Seconds `json:"fadeOut,omitzero"`
	// Loop repeats the source until Duration or the composition ends.
	Loop bool `json:"loop,omitempty"`
	// Rate is the playback speed at constant pitch, 0.0625 to 16; 0 is 1.
	Rate float64 `json:"rate,omitempty"`
}

// ParseTrack parses a track on the command line: file[@offset][,option=value]…, such as music.mp3@1.5,volume=0.5,loop.
// The options are volume, fade-in, fade-out, seek, duration, rate and loop. A track can also be a JSON object. Use that
// if the name of the file ends like an offset or an option.
func ParseTrack(text string) (Track, error) {
	t := Track{Volume: 1}
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.DisallowUnknownFields()
		if err := d.Decode(&t); err != nil {
			return t, Errorf("", "%.80s is not a track in JSON: %v", text, err)
		}
		return t, t.Validate()
	}
	t.Source = text
	for {
		comma := strings.LastIndexByte(t.Source, ',')
		if comma < 0 {
			break
		}
		known, err := t.set(t.Source[comma+1:])
		if err != nil {
			return t, err
		}
		if !known {
			break
		}
		t.Source = t.Source[:comma]
	}
	if at := strings.LastIndexByte(t.Source, '@'); at > 0 {
		if offset, err := ParseSeconds(t.Source[at+1:]); err == nil {
			t.Source, t.Offset = t.Source[:at], offset
		}
	}
	return t, t.Validate()
}

// set sets an option. known is false for other texts, which are part of the file's name.
func (t *Track) set(option string) (known bool, err error) {
	name, value, _ := strings.Cut(option, "=")
	times := map[string]*Seconds{
		"fade-in": &t.FadeIn, "fade-out": &t.FadeOut, "seek": &t.Seek, "duration": &t.Duration,
	}
	numbers := map[string]*float64{"volume": &t.Volume, "rate": &t.Rate}
	switch {
	case option == "loop":
		t.Loop = true
	case times[name] != nil:
		if *times[name], err = ParseSeconds(value); err != nil {
			return true, Errorf("", "%s: %v", name, err)
		}
	case numbers[name] != nil:
		x, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return true, Errorf("", "%s must be a number, got %q", name, value)
		}
		*numbers[name] = x
	default:
		return false, nil
	}
	return true, nil
}
