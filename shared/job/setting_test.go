package job_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"helios/shared/job"
)

const onAll = ^job.Commands(0)

// jsonNames returns the names in JSON of the fields of a struct.
func jsonNames(typ reflect.Type) (names []string) {
	for f := range typ.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func TestEveryFieldIsASetting(t *testing.T) {
	fields := jsonNames(reflect.TypeFor[job.Config]())
	var schema struct {
		Defs struct {
			Config struct {
				Properties map[string]any
				Required   []string
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(job.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	var properties []string
	for name := range schema.Defs.Config.Properties {
		properties = append(properties, name)
	}
	slices.Sort(properties)
	want := slices.Sorted(slices.Values(fields))
	if diff := cmp.Diff(want, properties); diff != "" {
		t.Errorf("fields of Config (-) and of the schema (+):\n%s", diff)
	}
	flags := []string{"input", "output"} // which commands read from arguments
	for _, s := range job.Settings(onAll) {
		flags = append(flags, s.Name)
		if required := slices.Contains(schema.Defs.Config.Required, s.Name); required == s.Optional {
			t.Errorf("%s: required by the schema is %t, optional %t", s.Name, required, s.Optional)
		}
	}
	slices.Sort(flags)
	if diff := cmp.Diff(want, flags); diff != "" {
		t.Errorf("fields of Config (-) and settings (+):\n%s", diff)
	}
}

// samples are values of the settings as flags, and as String returns them if that is different.
var samples = map[string][]string{
	"width": {"640"}, "height": {"360"}, "scale": {"0.5"}, "fps": {"29.97", "30000/1001"}, "seed": {"7"},
	"props": {`{"a": [1]}`}, "timeout": {"1m", "60"}, "duration": {"500ms", "0.5"}, "frameCount": {"12"},
	"startFrame": {"3"}, "format": {"webm"}, "videoCodec": {"libx265"}, "preset": {"medium"}, "quality": {"0"},
	"bitrate": {"8M", "8000000"}, "gop": {"15"}, "bitDepth": {"10"}, "loop": {"2"}, "audioCodec": {"flac"},
	"audioBitrate": {"192k", "192000"}, "loudness": {"-14.5"}, "seekMode": {"auto"}, "capture": {"screenshot"},
	"transparent": {"true"}, "allowMissingAssets": {"true"},
}

func TestSettingsSetTheirOwnField(t *testing.T) {
	fields := jsonNames(reflect.TypeFor[job.Config]())
	for _, s := range job.Settings(onAll) {
		sample := samples[s.Name]
		if sample == nil {
			t.Errorf("%s: add a sample to this test", s.Name)
			continue
		}
		var c job.Config
		if text := s.Value(&c).String(); text != "" {
			t.Errorf("%s: the zero value is %q", s.Name, text)
		}
		if err := s.Value(&c).Set(sample[0]); err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		var set []string
		for i := range fields {
			if v := reflect.ValueOf(c).Field(i); !v.IsZero() {
				set = append(set, fields[i])
			}
		}
		if !slices.Equal(set, []string{s.Name}) {
			t.Errorf("%s: the value is in the fields %q", s.Name, set)
		}
		if got, want := s.Value(&c).String(), sample[len(sample)-1]; got != want {
			t.Errorf("%s: %s is formatted as %s, want %s", s.Name, sample[0], got, want)
		}
	}
}

func TestSettingsRejectValues(t *testing.T) {
	for _, test := range []struct{ flag, text, problem string }{
		{"width", "wide", `must be a whole number, got "wide"`},
		{"width", "0", "must be at least 1, got 0"},
		{"width", "99999999999999999999", "is too large: 99999999999999999999"},
		{"seed", "4294967296", "is too large: 4294967296"},
		{"quality", "-1", "must be at least 0, got -1"},
		{"gop", "-1", "must be at least 0, got -1"},
		{"scale", "0", "must be more than 0, got 0"},
		{"scale", "NaN", `must be a number, got "NaN"`},
		{"loudness", "loud", `must be a number, got "loud"`},
		{"fps", "0", "out of range"},
		{"duration", "0", "must be more than 0"},
		{"bitrate", "1", `must be 1k to 2000M bits per second, such as 8M, got "1"`},
		{"format", "avi", `must be mp4, mov, webm, gif, webp, apng, png or jpeg, got "avi"`},
		{"seek-mode", "", `must be replay, direct or auto, got ""`},
		{"transparent", "maybe", `must be true or false, got "maybe"`},
		{"props", "[]", "must be a JSON object: "},
	} {
		list := job.Settings(onAll)
		i := slices.IndexFunc(list, func(s job.Setting) bool { return s.Flag() == test.flag })
		if i < 0 {
			t.Errorf("there is no flag --%s", test.flag)
			continue
		}
		var c job.Config
		err := list[i].Value(&c).Set(test.text)
		if err == nil || !strings.Contains(err.Error(), test.problem) {
			t.Errorf("--%s %s: got %v, want %s", test.flag, test.text, err, test.problem)
		}
		if !reflect.ValueOf(c).IsZero() {
			t.Errorf("--%s %s: the config is %+v", test.flag, test.text, c)
		}
	}
}
