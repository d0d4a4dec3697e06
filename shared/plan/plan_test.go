package plan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"helios/shared/job"
	"helios/shared/plan"
)

func mustPlan(t testing.TB, o plan.Options) *job.Spec {
	t.Helper()
	spec, err := plan.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

var (
	twoSeconds = job.SecondsOf(2 * time.Second)
	ntsc       = job.Rate{Num: 30000, Den: 1001}
)

// helios render test.html --emit-job job.json --concurrency 2 --duration 2 --fps 30
func TestReferenceCase(t *testing.T) {
	config := job.Config{Input: "intro.html", Output: "intro.mp4", Duration: twoSeconds, FPS: job.Rate{Num: 30, Den: 1}}
	got := mustPlan(t, plan.Options{Config: config, Concurrency: 2})
	if len(got.JobID) != 32 {
		t.Errorf("the job's id is %q, want 32 hexadecimal digits", got.JobID)
	}
	const flags = " --width 1920 --height 1080 --scale 1 --fps 30 --timeout 30 --format mp4 --video-codec libx264" +
		" --preset veryfast --quality 16 --audio-codec aac --seek-mode replay --capture stream --concurrency 1 --overwrite"
	want := &job.Spec{
		Version: 1,
		JobID:   got.JobID,
		Config: job.Config{
			Input: "intro.html", Output: "intro.mp4", Format: job.MP4,
			Width: 1920, Height: 1080, Scale: 1,
			FPS: job.Rate{Num: 30, Den: 1}, Duration: twoSeconds, FrameCount: 60,
			VideoCodec: "libx264", AudioCodec: "aac", Quality: new(16), Preset: "veryfast",
			SeekMode: job.SeekReplay,
			Capture:  job.CaptureStream, Timeout: job.SecondsOf(30 * time.Second),
		},
		Partitions: []job.Partition{
			{ID: 0, StartFrame: 0, FrameCount: 30, OutputFile: "intro.0000.mp4",
				Command: "helios render intro.html --start-frame 0 --frame-count 30 --chunk " + got.JobID + ":0/2" +
					flags + " -o intro.0000.mp4"},
			{ID: 1, StartFrame: 30, FrameCount: 30, OutputFile: "intro.0001.mp4",
				Command: "helios render intro.html --start-frame 30 --frame-count 30 --chunk " + got.JobID + ":1/2" +
					flags + " -o intro.0001.mp4"},
		},
		Merge: job.Merge{
			Inputs: []string{"intro.0000.mp4", "intro.0001.mp4"}, Output: "intro.mp4",
			Command: "helios merge intro.mp4 intro.0000.mp4 intro.0001.mp4",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the plan differs (-want +got):\n%s", diff)
	}
}

func TestPartitions(t *testing.T) {
	// options returns the options of a composition with a number of frames.
	options := func(frames int64, concurrency int) plan.Options {
		return plan.Options{Config: job.Config{FrameCount: frames}, Concurrency: concurrency}
	}
	lasting := func(d time.Duration, fps job.Rate, concurrency int) plan.Options {
		return plan.Options{Config: job.Config{Duration: job.SecondsOf(d), FPS: fps}, Concurrency: concurrency}
	}
	late := options(10, 3)
	late.StartFrame = 100
	both := options(4, 0)
	both.Duration = twoSeconds
	for _, c := range []struct {
		name    string
		options plan.Options
		want    string // startFrame+frameCount of each partition
	}{
		{"concurrency left out", options(7, 0), "0+7"},
		{"equal partitions", options(9, 3), "0+3 3+3 6+3"},
		{"last is shorter", options(10, 3), "0+4 4+4 8+2"},
		{"fewer than requested", options(10, 6), "0+2 2+2 4+2 6+2 8+2"},
		{"one frame", options(1, 8), "0+1"},
		{"fewer than frames", options(3, 1000), "0+1 1+1 2+1"},
		{"concurrency above the maximum, but few frames", options(2, 1_000_000), "0+1 1+1"},
		{"start frame", late, "100+4 104+4 108+2"},
		{"a tenth of a second", lasting(100*time.Millisecond, job.Rate{}, 0), "0+3"},
		{"half a second of NTSC", lasting(500*time.Millisecond, ntsc, 2), "0+8 8+7"},
		{"1001 seconds of NTSC", lasting(1001*time.Second, ntsc, 0), "0+30000"},
		{"a day", lasting(24*time.Hour, job.Rate{Num: 60, Den: 1}, 4),
			"0+1296000 1296000+1296000 2592000+1296000 3888000+1296000"},
		{"frame count overrides duration", both, "0+4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.options.Input = "a.html"
			var got []string
			for _, p := range mustPlan(t, c.options).Partitions {
				got = append(got, fmt.Sprintf("%d+%d", p.StartFrame, p.FrameCount))
			}
			if got := strings.Join(got, " "); got != c.want {
				t.Errorf("partitions are %s, want %s", got, c.want)
			}
		})
	}
}

func TestDurationInConfig(t *testing.T) {
	for _, c := range []struct {
		config job.Config
		want   string
	}{
		{job.Config{Duration: job.SecondsOf(500 * time.Millisecond), FPS: ntsc}, "0.5"},
		{job.Config{FrameCount: 15, FPS: ntsc}, "0.5005"},
		{job.Config{FrameCount: 10, FPS: ntsc}, "0.333666666"},
		{job.Config{FrameCount: 60, Duration: job.SecondsOf(time.Hour)}, "2"},
	} {
		c.config.Input = "a.html"
		if got := mustPlan(t, plan.Options{Config: c.config}).Config.Duration.String(); got != c.want {
			t.Errorf("the duration of %d frames or %s s is %s, want %s", c.config.FrameCount, c.config.Duration, got, c.want)
		}
	}
}

func TestErrorsNameTheOption(t *testing.T) {
	quality := 101
	for _, c := range []struct {
		name          string
		field, remedy string
		change        func(*plan.Options)
	}{
		{"no input", "input", "use an HTML file", func(o *plan.Options) { o.Input = "" }},
		{"input not UTF-8", "input", "rename it", func(o *plan.Options) { o.Input = "\xff.html" }},
		{"NUL in output", "output", "NUL", func(o *plan.Options) { o.Output = "a\x00.mp4" }},
		{"folder as output", "output", "use a file in it", func(o *plan.Options) {
			o.Output = "videos/"
			o.Format = job.MP4
		}},
		{"output without a suffix", "output", "has no suffix; use .mp4", func(o *plan.Options) { o.Output = "plain" }},
		{"unknown length", "duration", "use --duration or --frame-count", func(o *plan.Options) { o.FrameCount = 0 }},
		{"negative duration", "duration", "negative", func(o *plan.Options) {
			o.FrameCount = 0
			o.Duration = job.SecondsOf(-1)
		}},
		{"long duration", "duration", "at most", func(o *plan.Options) {
			o.FrameCount = 0
			o.Duration = job.SecondsOf(1001 * time.Hour)
		}},
		{"negative frame count", "frameCount", "at least 1", func(o *plan.Options) { o.FrameCount = -1 }},
		{"huge frame count", "frameCount", "1000 hours", func(o *plan.Options) { o.FrameCount = 1<<63 - 1 }},
		{"negative start frame", "startFrame", "at least 0", func(o *plan.Options) { o.StartFrame = -1 }},
		{"huge start frame", "startFrame", "at most", func(o *plan.Options) { o.StartFrame = 1<<63 - 1 }},
		{"late start frame", "frameCount", "1000 hours", func(o *plan.Options) { o.StartFrame = 1 << 52 }},
		{"negative concurrency", "concurrency", "at least 1", func(o *plan.Options) { o.Concurrency = -1 }},
		{"too many partitions", "concurrency", "must be at most 10000", func(o *plan.Options) {
			o.FrameCount = 10_001
			o.Concurrency = 10_001
		}},
		{"wide", "width", "at most 16384", func(o *plan.Options) { o.Width = 16385 }},
		{"negative height", "height", "at least 1", func(o *plan.Options) { o.Height = -1 }},
		{"rate by hand", "fps", "divides by zero", func(o *plan.Options) { o.FPS = job.Rate{Num: 30} }},
		{"negative rate", "fps", "1/60 to 1000", func(o *plan.Options) { o.FPS = job.Rate{Num: -30, Den: 1} }},
		{"quality", "quality", "at most 100", func(o *plan.Options) { o.Quality = &quality }},
		{"codec", "videoCodec", "must match", func(o *plan.Options) { o.VideoCodec = "$(id)" }},
		{"seek mode", "seekMode", `"replay" or "direct"`, func(o *plan.Options) { o.SeekMode = "fly" }},
		{"capture", "capture", `"screenshot"`, func(o *plan.Options) { o.Capture = "photo" }},
		{"timeout", "timeout", "at most 3600", func(o *plan.Options) { o.Timeout = job.SecondsOf(2 * time.Hour) }},
		{"props no JSON", "props", "JSON object", func(o *plan.Options) { o.Props = json.RawMessage("{") }},
		{"props no object", "props", "an object", func(o *plan.Options) { o.Props = json.RawMessage("[]") }},
		{"number in props", "props", "1e400", func(o *plan.Options) { o.Props = json.RawMessage(`{"a":1e400}`) }},
		{"props not UTF-8", "props", "UTF-8", func(o *plan.Options) { o.Props = json.RawMessage("{\"a\":\"\xff\"}") }},
		{"big props", "props", "that the page fetches", func(o *plan.Options) { o.Props = bigProps(131_000) }},
		{"big props, many partitions", "props", "fewer partitions", func(o *plan.Options) {
			o.Props = bigProps(50_000)
			o.FrameCount = 5000
			o.Concurrency = 5000
		}},
		{"base URL", "baseUrl", "https://", func(o *plan.Options) { o.BaseURL = "example.com" }},
		{"base URL without host", "baseUrl", "https://", func(o *plan.Options) { o.BaseURL = "https:///x" }},
		{"base URL and no name", "input", "name the file", func(o *plan.Options) {
			o.BaseURL = "https://example.com"
			o.Input = "../.."
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := plan.Options{Config: job.Config{Input: "a.html", FrameCount: 60}}
			c.change(&o)
			_, err := plan.New(o)
			var e *job.Error
			if !errors.As(err, &e) || e.Field != c.field || !strings.Contains(e.Problem, c.remedy) {
				t.Errorf("got %v, want %s: … %s …", err, c.field, c.remedy)
			}
		})
	}
}

func bigProps(size int) json.RawMessage {
	return json.RawMessage(`{"a":"` + strings.Repeat("x", size) + `"}`)
}

func TestBaseURL(t *testing.T) {
	for _, c := range []struct{ input, base, want string }{
		{"intro.html", "", "intro.html"},
		{"intro.html", "https://example.com", "https://example.com/intro.html"},
		{"intro.html", "https://example.com/a/", "https://example.com/a/intro.html"},
		{"../pages/intro.html", "https://example.com/a", "https://example.com/a/intro.html"},
		{"/abs/intro.html", "s3://bucket/a", "s3://bucket/a/intro.html"},
		{"50% & more?#/", "s3://bucket/a b/", "s3://bucket/a b/50% & more?#/"},
		{"site/", "https://example.com", "https://example.com/site/"},
		{"-o.html", "https://example.com", "https://example.com/-o.html"},
		{"50% & more?#.html", "https://example.com/a?token=1", "https://example.com/a/50%25%20&%20more%3F%23.html?token=1"},
		{"日本語.html", "https://example.com", "https://example.com/%E6%97%A5%E6%9C%AC%E8%AA%9E.html"},
		{"two\nlines.html", "https://example.com", "https://example.com/two%0Alines.html"},
		{"https://other.example/x.html", "https://example.com", "https://other.example/x.html"},
		{"S3://bucket/x.html", "https://example.com", "S3://bucket/x.html"},
	} {
		got := mustPlan(t, plan.Options{Config: job.Config{Input: c.input, FrameCount: 1}, BaseURL: c.base}).Config.Input
		if got != c.want {
			t.Errorf("%q with base %q is %q, want %q", c.input, c.base, got, c.want)
		}
	}
}

func TestChunksAreInTheFolderOfTheJobFile(t *testing.T) {
	for output, want := range map[string]string{
		"":                 "output.0000.mp4",
		"intro.mp4":        "intro.0000.mp4",
		"/else/where.webm": "where.0000.webm",
		"../up.mp4":        "up.0000.mp4",
		"my intro.v2.mov":  "my intro.v2.0000.mov",
		".mp4":             ".0000.mp4",
		"-o.mp4":           "-o.0000.mp4",
		"a..mp4":           "a..0000.mp4",
	} {
		config := job.Config{Input: "a.html", Output: output, FrameCount: 1}
		if got := mustPlan(t, plan.Options{Config: config}).Partitions[0].OutputFile; got != want {
			t.Errorf("the chunk of %q is %q, want %q", output, got, want)
		}
	}
}

func TestJobID(t *testing.T) {
	base := plan.Options{
		Config:      job.Config{Input: "a.html", FrameCount: 60, Props: json.RawMessage(`{"a": 1}`)},
		Concurrency: 2, Files: map[string]string{"a.html": strings.Repeat("f0", 32)},
	}
	id := func(change func(*plan.Options)) string {
		o := base
		change(&o)
		return mustPlan(t, o).JobID
	}
	same := id(func(*plan.Options) {})
	for name, change := range map[string]func(*plan.Options){
		"unchanged":          func(*plan.Options) {},
		"explicit defaults":  func(o *plan.Options) { o.Width = 1920; o.FPS = job.Rate{Num: 60, Den: 2} },
		"space in props":     func(o *plan.Options) { o.Props = json.RawMessage("{ \"a\":1 }\n") },
		"length as duration": func(o *plan.Options) { o.FrameCount = 0; o.Duration = twoSeconds },
	} {
		if got := id(change); got != same {
			t.Errorf("%s: the id is %s, want %s", name, got, same)
		}
	}
	seen := map[string]string{same: "the base"}
	for name, change := range map[string]func(*plan.Options){
		"files":       func(o *plan.Options) { o.Files = map[string]string{"a.html": strings.Repeat("be", 32)} },
		"input":       func(o *plan.Options) { o.Input = "b.html" },
		"concurrency": func(o *plan.Options) { o.Concurrency = 3 },
		"start frame": func(o *plan.Options) { o.StartFrame = 1 },
		"seed":        func(o *plan.Options) { o.Seed = 1 },
		"props":       func(o *plan.Options) { o.Props = nil },
		"assets":      func(o *plan.Options) { o.AllowMissingAssets = true },
		"revision a":  func(o *plan.Options) { o.Revision = "a" },
		"revision b":  func(o *plan.Options) { o.Revision = "b" },
		"revision 1":  func(o *plan.Options) { o.Revision = "1" },
	} {
		got := id(change)
		if other, found := seen[got]; found {
			t.Errorf("%s: the id is that of %s", name, other)
		}
		seen[got] = name
	}
}

// Planned specs pass the validation of specs that users write.
func TestPlannedSpecsAreValid(t *testing.T) {
	lossless := 0
	for name, o := range map[string]plan.Options{
		"plain": {Config: job.Config{Input: "a.html", FrameCount: 60}, Concurrency: 2},
		"all options": {Config: job.Config{
			Input: "日本 語.html", Output: "/x/it's.webm", Width: 1, Height: 16384, FPS: ntsc,
			Duration: twoSeconds, StartFrame: 7, VideoCodec: "libvpx-vp9", AudioCodec: "libopus",
			Preset: "8", Quality: &lossless, SeekMode: job.SeekDirect, Seed: 1<<32 - 1,
			Props: json.RawMessage(`{"a": "<b> & 'c'", "n": 1e308}`), AllowMissingAssets: true,
			Timeout: job.SecondsOf(time.Hour),
		}, Concurrency: 5},
		"most partitions": {Config: job.Config{Input: "a.html", FrameCount: 10_000}, Concurrency: 10_000},
		"longest": {
			Config: job.Config{
				Input: "a.html", Duration: job.SecondsOf(job.MaxLength), FPS: job.Rate{Num: 1000, Den: 1},
			},
			Concurrency: 7,
		},
		"slowest": {Config: job.Config{Input: "a.html", FrameCount: 1, FPS: job.Rate{Num: 1, Den: 60}}},
	} {
		t.Run(name, func(t *testing.T) {
			spec := mustPlan(t, o)
			var out bytes.Buffer
			if err := spec.Encode(&out); err != nil {
				t.Fatal(err)
			}
			parsed, err := job.Parse(out.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(spec, parsed); diff != "" {
				t.Errorf("encoding and parsing changes the spec (-planned +parsed):\n%s", diff)
			}
		})
	}
}

// Requests to the plan function contain options.
func TestOptionsAsJSON(t *testing.T) {
	var o plan.Options
	const request = `{
		"input": "a.html", "fps": 29.97, "duration": "500ms", "quality": 0, "concurrency": 2, "props": {"a": 1}
	}`
	if err := json.Unmarshal([]byte(request), &o); err != nil {
		t.Fatal(err)
	}
	c := mustPlan(t, o).Config
	if c.FPS != ntsc || c.FrameCount != 15 || *c.Quality != 0 || string(c.Props) != `{"a":1}` {
		t.Errorf("%s is planned as %+v", request, c)
	}
}

func FuzzPartitions(f *testing.F) {
	f.Add(int64(60), int64(0), 2)
	f.Add(int64(10), int64(100), 6)
	f.Add(int64(1), int64(0), 1000)
	f.Add(int64(5_184_000), int64(1), 9999)
	f.Fuzz(func(t *testing.T, frames, start int64, concurrency int) {
		config := job.Config{Input: "a.html", FrameCount: frames, StartFrame: start}
		spec, err := plan.New(plan.Options{Config: config, Concurrency: concurrency})
		if err != nil {
			var e *job.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %T, want a *job.Error: %v", err, err)
			}
			return
		}
		next := start
		for i, p := range spec.Partitions {
			if p.ID != i || p.StartFrame != next || p.FrameCount < 1 {
				t.Fatalf("partition %d is %+v, want it to start at %d and not to be empty", i, p, next)
			}
			next += p.FrameCount
		}
		if frames > 0 && next != start+frames {
			t.Fatalf("partitions end before frame %d, want %d", next, start+frames)
		}
		if n := len(spec.Partitions); n > max(concurrency, 1) || n > job.MaxPartitions {
			t.Fatalf("there are %d partitions, more than %d", n, concurrency)
		}
	})
}

func BenchmarkNew10000Partitions(b *testing.B) {
	o := plan.Options{
		Config:      job.Config{Input: "my intro.html", Output: "my intro.mp4", FrameCount: 100_000},
		Concurrency: 10_000,
	}
	for b.Loop() {
		mustPlan(b, o)
	}
}
