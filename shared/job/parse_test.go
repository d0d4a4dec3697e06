package job_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"helios/shared/job"
)

//go:embed testdata/job.json
var valid []byte

func TestParse(t *testing.T) {
	got, err := job.Parse(valid)
	if err != nil {
		t.Fatal(err)
	}
	want := &job.Spec{
		Version: 1,
		JobID:   "0199a1b2c3d4e5f60718293a4b5c6d7e",
		Config: job.Config{
			Input: "intro.html", Output: "intro.mp4", Format: job.MP4,
			Width: 1920, Height: 1080, Scale: 1,
			FPS: job.Rate{Num: 30000, Den: 1001}, Duration: seconds(t, "0.5"),
			StartFrame: 100, FrameCount: 15,
			VideoCodec: "libx264", AudioCodec: "aac", Quality: new(16), Preset: "veryfast",
			SeekMode: job.SeekReplay,
			Capture:  job.CaptureStream, Seed: 7,
			Props:              json.RawMessage(`{"title":"Fish & <Chips>","list":[1,2]}`),
			AllowMissingAssets: true,
			Timeout:            seconds(t, "30"),
		},
		Partitions: []job.Partition{
			{ID: 0, StartFrame: 100, FrameCount: 8, OutputFile: "intro.0000.mp4",
				Command: "helios render intro.html --start-frame 100 --frame-count 8 -o intro.0000.mp4"},
			{ID: 1, StartFrame: 108, FrameCount: 7, OutputFile: "intro.0001.mp4",
				Command: "helios render intro.html --start-frame 108 --frame-count 7 -o intro.0001.mp4"},
		},
		Merge: job.Merge{
			Inputs: []string{"intro.0000.mp4", "intro.0001.mp4"}, Output: "intro.mp4",
			Command: "helios merge intro.mp4 intro.0000.mp4 intro.0001.mp4",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("job.json is parsed differently (-want +got):\n%s", diff)
	}
}

func TestEncodeIsTheInverseOfParse(t *testing.T) {
	spec, err := job.Parse(valid)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := spec.Encode(&out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(valid), out.String()); diff != "" {
		t.Errorf("job.json is encoded differently (-want +got):\n%s", diff)
	}
}

// edited returns the valid spec with one field set, or removed when the value is nil.
func edited(t testing.TB, field string, value any) []byte {
	t.Helper()
	var document any
	if err := json.Unmarshal(valid, &document); err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`\w+`).FindAllString(field, -1)
	parent := document
	for _, key := range keys[:len(keys)-1] {
		parent = child(t, parent, key)
	}
	switch parent := parent.(type) {
	case map[string]any:
		if value == nil {
			delete(parent, keys[len(keys)-1])
		} else {
			parent[keys[len(keys)-1]] = value
		}
	case []any:
		i, err := strconv.Atoi(keys[len(keys)-1])
		if err != nil {
			t.Fatal(err)
		}
		parent[i] = value
	}
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func child(t testing.TB, parent any, key string) any {
	t.Helper()
	switch parent := parent.(type) {
	case map[string]any:
		return parent[key]
	case []any:
		i, err := strconv.Atoi(key)
		if err != nil {
			t.Fatal(err)
		}
		return parent[i]
	}
	t.Fatalf("there is no %s", key)
	return nil
}

func TestErrorsNameTheField(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, c := range []struct {
		field   string
		value   any // nil removes the field
		fault   string
		problem string
	}{
		{"version", nil, "version", "is missing"},
		{"version", "1", "version", "must be an integer, got a string"},
		{"version", 0, "version", "must be 1, got 0"},
		{"version", 1.5, "version", "must be an integer, got a number"},
		{"jobId", nil, "jobId", "is missing"},
		{"jobId", "../../etc", "jobId", "must match"},
		{"jobId", "", "jobId", "must match"},
		{"extra", 1, "extra", "is not a field of the job spec; remove it or correct its name"},
		{"config", nil, "config", "is missing"},
		{"config", []any{}, "config", "must be an object, got an array"},
		{"config.with", 1920, "config.with", "is not a field"},

		{"config.input", nil, "config.input", "is missing"},
		{"config.input", "", "config.input", "must not be empty"},
		{"config.input", 7, "config.input", "must be a string, got a number"},
		{"config.input", "a\x00b", "config.input", "NUL"},
		{"config.input", long, "config.input", "must have at most 4096 characters, got 5000"},
		{"config.output", "videos/", "config.output", "is a folder"},
		{"config.output", "..", "config.output", "is a folder"},

		{"config.width", nil, "config.width", "is missing"},
		{"config.width", 0, "config.width", "must be at least 1, got 0"},
		{"config.width", -1920, "config.width", "must be at least 1, got -1920"},
		{"config.width", 16385, "config.width", "must be at most 16384, got 16385"},
		{"config.width", 1920.5, "config.width", "must be an integer, got a number"},
		{"config.width", "1920", "config.width", "must be an integer, got a string"},
		{"config.height", 1e300, "config.height", "must be at most 16384, got 1e+300"},

		{"config.fps", 0, "config.fps", "out of range"},
		{"config.fps", "30/0", "config.fps", "divides by zero"},
		{"config.fps", "fast", "config.fps", `"fast" is not a frame rate`},
		{"config.fps", true, "config.fps", "must be a number or a string, got a boolean"},
		{"config.fps", "25", "config.duration", "0.5 seconds at 25 frames per second are 13 frames, but frameCount is 15"},

		{"config.duration", 0, "config.duration", "must be above 0, got 0"},
		{"config.duration", "0s", "config.duration", "must be above 0, got 0s"},
		{"config.duration", -2, "config.duration", "-2 is negative"},
		{"config.duration", "long", "config.duration", `"long" is not a time`},
		{"config.duration", 1e9, "config.duration", "too long"},
		{"config.duration", 0.6, "config.duration", "are 18 frames, but frameCount is 15"},
		{"config.timeout", 0, "config.timeout", "must be above 0"},
		{"config.timeout", 3601, "config.timeout", "must be at most 3600"},
		{"config.timeout", "2h", "config.timeout", "must be at most 3600"},

		{"config.startFrame", -1, "config.startFrame", "must be at least 0, got -1"},
		{"config.startFrame", 1 << 53, "config.startFrame", "must be at most 9007199254740991"},
		{"config.startFrame", 1 << 52, "config.frameCount", "longer than 1000 hours"},
		{"config.frameCount", 0, "config.frameCount", "must be at least 1, got 0"},

		{"config.videoCodec", "", "config.videoCodec", "must match"},
		{"config.videoCodec", "-x264", "config.videoCodec", "must match"},
		{"config.audioCodec", "aac; id", "config.audioCodec", "must match"},
		{"config.preset", "very fast", "config.preset", "must match"},
		{"config.quality", 101, "config.quality", "must be at most 100, got 101"},
		{"config.quality", -1, "config.quality", "must be at least 0, got -1"},
		{"config.seekMode", "fly", "config.seekMode", `must be "replay" or "direct", got "fly"`},
		{"config.seekMode", 1, "config.seekMode", `must be "replay" or "direct", got "1"`},
		{"config.seed", 1 << 32, "config.seed", "must be at most 4294967295"},
		{"config.props", []any{1}, "config.props", "must be an object, got an array"},
		{"config.allowMissingAssets", "yes", "config.allowMissingAssets", "must be a boolean, got a string"},

		{"partitions", []any{}, "partitions", "must have at least 1, got 0"},
		{"partitions[0]", "x", "partitions[0]", "must be an object, got a string"},
		{"partitions[1].id", 2, "partitions[1].id", "must be 1, got 2"},
		{"partitions[0].startFrame", 99, "partitions[0].startFrame", "must be 100, got 99"},
		{"partitions[1].startFrame", 109, "partitions[1].startFrame", "must be 108, got 109"},
		{"partitions[1].frameCount", nil, "partitions[1].frameCount", "is missing"},
		{"partitions[1].frameCount", 0, "partitions[1].frameCount", "must be at least 1, got 0"},
		{"partitions[1].frameCount", 8, "partitions[1].frameCount", "must be at most 7, got 8"},
		{"partitions[1].frameCount", 6, "partitions", "end before frame 114"},
		{"partitions[0].outputFile", "intro.0001.mp4", "partitions[1].outputFile", "is also the chunk of partitions[0]"},
		{"partitions[0].outputFile", "intro.mp4", "partitions[0].outputFile", "is the output of the job"},
		{"partitions[0].outputFile", "intro.html", "partitions[0].outputFile", "is the composition"},
		{"partitions[0].outputFile", "../intro.mp4", "partitions[0].outputFile", "inside the job's folder"},
		{"partitions[0].outputFile", "a/../../b.mp4", "partitions[0].outputFile", "inside the job's folder"},
		{"partitions[0].outputFile", "/tmp/a.mp4", "partitions[0].outputFile", "inside the job's folder"},
		{"partitions[0].outputFile", "./a.mp4", "partitions[0].outputFile", "inside the job's folder"},
		{"partitions[0].outputFile", ".", "partitions[0].outputFile", "inside the job's folder"},
		{"partitions[0].outputFile", "a\x00.mp4", "partitions[0].outputFile", "NUL"},
		{"partitions[0].command", "", "partitions[0].command", "must not be empty"},

		{"merge", nil, "merge", "is missing"},
		{"merge.inputs", []any{"intro.0000.mp4"}, "merge.inputs", "must have the chunks of all 2 partitions, got 1"},
		{"merge.inputs[1]", "intro.0000.mp4", "merge.inputs[1]", "must be partitions[1].outputFile"},
		{"merge.inputs[1]", "/etc/passwd", "merge.inputs[1]", "must be partitions[1].outputFile"},
		{"merge.output", "other.mp4", "merge.output", "must be the same as config.output"},
		{"merge.command", "", "merge.command", "must not be empty"},
	} {
		_, err := job.Parse(edited(t, c.field, c.value))
		var e *job.Error
		if !errors.As(err, &e) {
			t.Errorf("%s = %.40v: got %v, want a *job.Error", c.field, c.value, err)
			continue
		}
		if e.Field != c.fault || !strings.Contains(e.Problem, c.problem) {
			t.Errorf("%s = %.40v: got %q, want %s: … %s …", c.field, c.value, err, c.fault, c.problem)
		}
	}
}

func TestParseManyPartitions(t *testing.T) {
	partitions := func(count int, faulty ...int) []any {
		list := make([]any, count)
		for i := range list {
			list[i] = map[string]any{
				"id": i, "startFrame": 100 + i, "frameCount": 1, "outputFile": strconv.Itoa(i), "command": "c",
			}
		}
		for _, i := range faulty {
			list[i].(map[string]any)["frameCount"] = 0
		}
		return list
	}
	for _, c := range []struct {
		partitions []any
		want       string
	}{
		{partitions(job.MaxPartitions + 1), "partitions: must have at most 10000, got 10001"},
		{partitions(15, 10, 2), "partitions[2].frameCount: must be at least 1, got 0"},
		{partitions(15), "merge.inputs: must have the chunks of all 15 partitions, got 2"},
	} {
		_, err := job.Parse(edited(t, "partitions", c.partitions))
		if err == nil || err.Error() != c.want {
			t.Errorf("%d partitions: got %v, want %s", len(c.partitions), err, c.want)
		}
	}
}

func TestParseRejectsDocuments(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"empty", "", "job spec is empty"},
		{"blank", " \n", "job spec is empty"},
		{"array", "[]", "job spec must be a JSON object"},
		{"null", "null", "job spec must be a JSON object"},
		{"newer", `{"version": 2, "new": true}`, "job spec has version 2, but this helios supports only versions up to 1"},
		{"comma", "{\n  \"version\": 1,\n  \"é\": }", "line 3, column 8"},
		{"cut off", "{\n \"version\"", "line 2, column 10"},
		{"twice", "{}\n{}", "line 2, column 1"},
		{"not UTF-8", "{\"jobId\": \"\xff\"}", "not in UTF-8"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "not in UTF-8"},
		{"huge number", `{"version": 1e999}`, "line 1, column 13"},
		{"deep", strings.Repeat("[", 20_000), "exceeded max depth"},
		{"float", strings.Replace(string(valid), "1920", "1920.0", 1), "line 8, column 14"},
		{"exponent", strings.Replace(string(valid), "\"quality\": 16", "\"quality\": 1e1", 1), "write it like 1920"},
		{"case", strings.Replace(string(valid), "jobId", "jobID", 1), "jobID: is not a field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := job.Parse([]byte(c.data))
			var e *job.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want a *job.Error with %q", err, c.want)
			}
		})
	}
}

func TestParseAcceptsOtherForms(t *testing.T) {
	for field, value := range map[string]any{
		"config.fps":                29.97,
		"config.duration":           "500ms",
		"config.timeout":            "1m",
		"config.input":              "https://example.com/a?b=c&d",
		"config.props":              nil,
		"config.allowMissingAssets": nil,
		"config.seekMode":           "direct",
	} {
		if _, err := job.Parse(edited(t, field, value)); err != nil {
			t.Errorf("%s = %v: %v", field, value, err)
		}
	}
}

// Validators that do not know the formats of Helios can use the published schema.
func TestSchemaWorksElsewhere(t *testing.T) {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(job.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("job.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("job.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		data  []byte
		valid bool
	}{
		{valid, true},
		{edited(t, "config.width", 0), false},
		{edited(t, "config.other", 0), false},
	} {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(c.data))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(document); (err == nil) != c.valid {
			t.Errorf("Validate returned %v, want valid = %t", err, c.valid)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(valid)
	for field, value := range map[string]any{
		"version": 2, "config.fps": "1e9", "config.duration": "1h", "partitions[0].outputFile": "../x", "merge": nil,
	} {
		f.Add(edited(f, field, value))
	}
	f.Add([]byte(`{"version":1,"config":{"width":1e308}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		spec, err := job.Parse(data)
		if err != nil {
			var e *job.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %T, want a *job.Error: %v", err, err)
			}
			return
		}
		var out bytes.Buffer
		if err := spec.Encode(&out); err != nil {
			t.Fatal(err)
		}
		again, err := job.Parse(out.Bytes())
		if err != nil {
			t.Fatalf("the encoded spec is invalid: %v\n%s", err, out.Bytes())
		}
		if diff := cmp.Diff(spec, again); diff != "" {
			t.Fatalf("encoding and parsing changes the spec (-before +after):\n%s", diff)
		}
	})
}
