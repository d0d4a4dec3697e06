package render

import (
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/store"
)

// wantUser checks that an error is a user error of one line, with some words in it.
func wantUser(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("the error is nil, want one with %q", words)
	}
	if fault.Of(err) != fault.User {
		t.Errorf("the error is of kind %s, want user: %v", fault.Of(err), err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error is %q, want %q in it", err, word)
		}
	}
	if strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("the error has more than one line: %q", err)
	}
}

// Errors of the page are reported fast and are not retried.
func TestPageErrors(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	unreachable := "http://" + listener.Addr().String() + "/"
	listener.Close()
	// inFrame returns a page that executes a statement in the callback of frame 3.
	inFrame := func(statement string) string {
		return composition(t, `<script>
			requestAnimationFrame(function f(t) { if (t > 200) `+statement+`; requestAnimationFrame(f) })
		</script>`)
	}
	for _, test := range []struct {
		name  string
		input string
		words []string
	}{
		{"throws", composition(t, `<script>nothing.here</script>`),
			[]string{"the page threw ReferenceError", "page.html:1:"}},
		{"throws in a frame", inFrame(`throw new Error("late")`),
			[]string{"partition 0 (frames 0 to 11)", "the page threw Error: late"}},
		{"missing", composition(t, `<img src="gone.png">`),
			[]string{"missing image gone.png", "404", "--allow-missing-assets"}},
		{"endless at load", composition(t, `<script>for (;;);</script>`), []string{"was not ready after 2s"}},
		{"endless in a frame", inFrame(`for (;;);`),
			[]string{"frame 3 was not done after 2s", "endless loop"}},
		{"unreachable", unreachable, []string{unreachable, "connection refused"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := small(test.input)
			o.Timeout = job.SecondsOf(2 * time.Second)
			j := jobOf(t, o)
			j.Retries = 2
			var e events
			j.Report = e.add
			start := time.Now()
			err := j.Run(t.Context())
			wantUser(t, err, test.words...)
			if took := time.Since(start); took > 15*time.Second {
				t.Errorf("Run() took %s", took)
			}
			if failed := e.partitions(PartitionFailed); len(failed) > 0 {
				t.Errorf("the partitions %v were retried", failed)
			}
			checkClean(t, j)
		})
	}
}

// Errors in the job are reported before the first frame.
func TestInvalidJobs(t *testing.T) {
	page := composition(t, counting)
	// Not even root can make a folder below a file.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		change func(*Job)
		words  []string
	}{
		{"the folder of the chunks is a file", func(j *Job) { j.Chunks = store.Dir(file) },
			[]string{"not a directory", file}},
		{"the folder of the chunks is below a file", func(j *Job) { j.Chunks = store.Dir(filepath.Join(file, "sub")) },
			[]string{"not a directory", file}},
		{"the folder of the output is a file", func(j *Job) { j.Output = filepath.Join(file, "out.mp4") },
			[]string{"writing " + file, "not a directory"}},
		{"the output is a folder", func(j *Job) { j.Output = t.TempDir() }, []string{"is a folder; name a file"}},
		{"the output exists", func(j *Job) { j.Output = page }, []string{"exists; use --overwrite"}},
		{"the partition does not exist", func(j *Job) { j.Partitions = []int{7} },
			[]string{"partition 7 does not exist; the job has partitions 0 to 0"}},
		{"the page has changed", func(j *Job) { j.Spec.Files = map[string]string{"page.html": "00"} },
			[]string{"page.html has changed since the job was planned"}},
		{"a file of the page is missing", func(j *Job) { j.Spec.Files = map[string]string{"gone.css": "00"} },
			[]string{"reading gone.css", "no such file"}},
		{"the codec is unknown", func(j *Job) { j.Spec.Config.VideoCodec = "vp8" },
			[]string{`the video codec "vp8"`, "libx264"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			j := jobOf(t, small(page))
			test.change(j)
			var e events
			j.Report = e.add
			wantUser(t, j.Run(t.Context()), test.words...)
			if drawn := e.partitions(FrameDone); len(drawn) > 0 {
				t.Errorf("%d frames were rendered before the error", len(drawn))
			}
			if left := children(); len(left) > 0 {
				t.Errorf("%+v are still running", left)
			}
		})
	}
}

func TestMissingAssetsCanBeAllowed(t *testing.T) {
	o := small(composition(t, counting+`<img src="gone.png">`))
	o.AllowMissingAssets = true
	j := jobOf(t, o)
	var e events
	j.Report = e.add
	run(t, j)
	for _, event := range e.list {
		if event.Type == Warning && strings.Contains(event.Message, "missing gone.png") {
			return
		}
	}
	t.Error("no warning contains the image")
}

func TestPlanUsesThePageAttributes(t *testing.T) {
	fps10, fps24 := job.Rate{Num: 10, Den: 1}, job.Rate{Num: 24, Den: 1}
	const html = `<html data-duration="1.5" data-fps="24" data-width="320" data-height="180"><p>`
	for _, test := range []struct {
		name string
		o    plan.Options
		want job.Config
	}{
		{"attributes", plan.Options{}, job.Config{Width: 320, Height: 180, FPS: fps24, FrameCount: 36}},
		{"options override attributes", plan.Options{Config: job.Config{Width: 64, FPS: fps10}},
			job.Config{Width: 64, Height: 180, FPS: fps10, FrameCount: 15}},
		{"the frame count overrides the duration", plan.Options{Config: job.Config{FrameCount: 5}},
			job.Config{Width: 320, Height: 180, FPS: fps24, FrameCount: 5}},
	} {
		o := test.o
		o.Input, o.Output = composition(t, html), "out.mp4"
		spec, err := planOnce(t, o)
		if err != nil {
			t.Fatal(err)
		}
		got := job.Config{
			Width: spec.Config.Width, Height: spec.Config.Height, FPS: spec.Config.FPS, FrameCount: spec.Config.FrameCount,
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: the plan has %+v, want %+v", test.name, got, test.want)
		}
		if len(spec.Files["page.html"]) != 64 {
			t.Errorf("%s: the files are %v", test.name, spec.Files)
		}
	}
}

func TestPlanRejectsInvalidPageAttributes(t *testing.T) {
	for html, words := range map[string][]string{
		`<html data-duration="soon">`:              {`the page's data-duration is "soon"`},
		`<html data-duration="1" data-fps="fast">`: {`the page's data-fps is "fast"`},
		`<html data-duration="1" data-fps="0">`:    {`the page's data-fps is "0"`},
		`<html data-duration="1" data-width="wide">`: {
			`the page's data-width is "wide"; it must be a number of pixels`},
		`<html data-duration="1" data-height="-5">`:                   {`the page's data-height is "-5"`},
		`<html data-duration="1" data-width="321" data-height="180">`: {"even width and height", "322x180"},
		`<html data-duration="1"><img src="gone.png">`:                {"missing image gone.png"},
	} {
		path := composition(t, html)
		_, err := planOnce(t, plan.Options{Config: job.Config{Input: path, Output: "out.mp4"}})
		if left := children(); len(left) > 0 {
			t.Errorf("%s: the browser %v is still running", html, left)
		}
		wantUser(t, err, words...)
	}
}

func TestPlanFindsTheSeekMode(t *testing.T) {
	for name, test := range map[string]struct {
		html string
		want job.SeekMode
	}{
		"seeks":    {`<script>window.helios = { seek() {} }</script>`, job.SeekDirect},
		"seekable": {`<style>p { animation: a 9s } @keyframes a { to { opacity: 0 } }</style><p>text`, job.SeekDirect},
		"history":  {counting, job.SeekReplay},
	} {
		o := small(composition(t, test.html))
		o.FrameCount, o.Concurrency, o.SeekMode = 700, 2, job.SeekAuto
		c, err := capture.Locate("", o.Input)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := planOnce(t, o)
		if err != nil {
			t.Fatal(err)
		}
		if spec.Config.SeekMode != test.want {
			t.Errorf("%s: the plan has the seek mode %s, want %s", name, spec.Config.SeekMode, test.want)
		}
		inspected := plan.Options{Config: job.Config{Input: o.Input, Width: 160, Height: 90, FPS: o.FPS}}
		found, err := Inspect(t.Context(), inspected, c)
		if err != nil || found.SeekMode != test.want {
			t.Errorf("%s: Inspect() = %s, %v, want %s", name, found.SeekMode, err, test.want)
		}
	}
}
