package job_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"helios/shared/job"
)

func TestParseTrack(t *testing.T) {
	seconds := func(s float64) job.Seconds { return job.SecondsOf(time.Duration(s * float64(time.Second))) }
	for text, want := range map[string]job.Track{
		"music.mp3":                  {Source: "music.mp3", Volume: 1},
		"music.mp3@1.5":              {Source: "music.mp3", Offset: seconds(1.5), Volume: 1},
		"a.wav@1m30s,volume=.5,loop": {Source: "a.wav", Offset: seconds(90), Volume: .5, Loop: true},
		"a.wav,fade-in=1,fade-out=250ms,seek=2,duration=3,rate=2": {
			Source: "a.wav", Volume: 1, FadeIn: seconds(1), FadeOut: seconds(.25),
			Seek: seconds(2), Duration: seconds(3), Rate: 2,
		},
		"me@home.wav":                      {Source: "me@home.wav", Volume: 1},
		"one, two.wav@2":                   {Source: "one, two.wav", Offset: seconds(2), Volume: 1},
		`{"source":"a@1,loop","volume":0}`: {Source: "a@1,loop"},
		`{"source":"a"}`:                   {Source: "a", Volume: 1},
	} {
		got, err := job.ParseTrack(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		// Commands contain tracks as JSON.
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := job.ParseTrack(string(data)); err != nil || !cmp.Equal(again, want) {
			t.Errorf("%s is parsed as %+v, %v", data, again, err)
		}
	}
	for text, words := range map[string]string{
		"a.wav,volume=loud":          "volume must be a number",
		"a.wav,volume=11":            "volume",
		"a.wav,volume=NaN":           "volume",
		"a.wav,fade-in=x":            "fade-in",
		"a.wav,rate=100":             "rate",
		"":                           "must not be empty",
		",loop":                      "must not be empty",
		`{"source":"a","speed":1}`:   "speed",
		`{"source":"a","volume":""}`: "volume",
	} {
		if _, err := job.ParseTrack(text); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: got %v, want %q", text, err, words)
		}
	}
}
