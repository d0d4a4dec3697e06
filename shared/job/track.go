package job

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// ParseTrack reads a track as people write it, file[@offset][,option=value]…, such as music.mp3@1.5,volume=0.5,loop;
// or as JSON, in which any name can be said. The options are volume, fade-in, fade-out, seek, duration, rate and
// loop. A file whose name could be taken for something else has to be written as JSON.
func ParseTrack(text string) (Track, error) {
	t := Track{Volume: 1}
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.DisallowUnknownFields()
		if err := d.Decode(&t); err != nil {
			return t, Errorf("", "%.80s is no track in JSON: %v", text, err)
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

// set sets an option; it is not known if it is rather the end of a name.
func (t *Track) set(option string) (known bool, err error) {
	name, value, _ := strings.Cut(option, "=")
	times := map[string]*Seconds{"fade-in": &t.FadeIn, "fade-out": &t.FadeOut, "seek": &t.Seek, "duration": &t.Duration}
	numbers := map[string]*float64{"volume": &t.Volume, "rate": &t.Rate}
	switch {
	case option == "loop":
		t.Loop = true
	case times[name] != nil:
		if *times[name], err = ParseSeconds(value); err != nil {
			return true, Errorf("", "%s: %v", name, err)
		}
	case numbers[name] != nil:
		if *numbers[name], err = strconv.ParseFloat(value, 64); err != nil || math.IsNaN(*numbers[name]) || math.IsInf(*numbers[name], 0) {
			return true, Errorf("", "%s must be a number, got %q", name, value)
		}
	default:
		return false, nil
	}
	return true, nil
}
