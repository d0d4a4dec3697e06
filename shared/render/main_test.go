package render

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"helios/shared/capture"
	"helios/shared/ffmpeg"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/procfs"
	"helios/shared/store"
)

func TestMain(m *testing.M) {
	if os.Getenv(mergeBucket) != "" {
		if err := mergeBucketChunks(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		for _, c := range children() {
			fmt.Fprintf(os.Stderr, "%s (%d) is still running\n", c.name, c.pid)
			code = 1
		}
		os.Exit(code)
	}))
}

// child is a running child process.
type child struct {
	pid     int
	name    string
	profile string // Chromium's profile folder
}

// children returns the running child processes.
func children() (list []child) {
	for _, p := range procfs.Processes() {
		if p.Parent != os.Getpid() || p.State == "Z" {
			continue
		}
		c := child{pid: p.PID, name: p.Name}
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
		for arg := range strings.SplitSeq(string(line), "\x00") {
			if dir, ok := strings.CutPrefix(arg, "--user-data-dir="); ok {
				c.profile = dir
			}
		}
		list = append(list, c)
	}
	return list
}

// small returns the default options of the tests: a short, small and lossless video.
func small(input string) plan.Options {
	lossless := 0
	return plan.Options{Config: job.Config{
		Input: input, Output: "out.mp4", Width: 160, Height: 90, FPS: job.Rate{Num: 10, Den: 1},
		FrameCount: 12, Preset: "ultrafast", Quality: &lossless,
		Timeout: job.SecondsOf(30 * time.Second),
	}}
}

// needChromium skips a test in short mode.
func needChromium(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("launches Chromium")
	}
}

// jobOf plans a job with a new output folder. It runs in Chromium.
func jobOf(t *testing.T, o plan.Options) *Job {
	t.Helper()
	needChromium(t)
	c, err := capture.Locate("", o.Input)
	if err != nil {
		t.Fatal(err)
	}
	return planned(t, o, c)
}

// planned plans a job for a composition, with a new output folder.
func planned(t *testing.T, o plan.Options, c capture.Composition) *Job {
	t.Helper()
	spec, err := plan.New(o)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return &Job{
		Spec: spec, Composition: c, Chunks: store.Dir(filepath.Join(dir, "chunks")),
		Output: filepath.Join(dir, "out.mp4"), Workers: 2, Retries: 2, Merge: true,
	}
}

// planOnce plans a job with its own pool, as the command does.
func planOnce(t *testing.T, o plan.Options) (*job.Spec, error) {
	t.Helper()
	needChromium(t)
	c, err := capture.Locate("", o.Input)
	if err != nil {
		t.Fatal(err)
	}
	browsers := NewBrowserPool(c, o.Scale)
	defer browsers.Close()
	return Plan(t.Context(), browsers, o, c)
}

// run runs a job and returns the path of its output.
func run(t *testing.T, j *Job) string {
	t.Helper()
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return j.Output
}

// renderPage renders a page with the fastest preset and returns the path of the video.
func renderPage(t *testing.T, page string, o plan.Options) string {
	t.Helper()
	o.Input, o.Output, o.Preset = page, "out.mp4", "ultrafast"
	return run(t, jobOf(t, o))
}

// composition writes a page and returns its path.
func composition(t *testing.T, html string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte("<!doctype html>"+html), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// counting displays the number of frame callbacks, so that each frame depends on all before it.
const counting = `<body style="font: 40px monospace"><script>
	let n = 0;
	requestAnimationFrame(function frame() { requestAnimationFrame(frame); document.body.textContent = n++ });
</script>`

// tool runs a program and returns its output. The test fails if it prints to stderr.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s(if it is missing: %s)", name, strings.Join(args, " "), err, &stderr, ffmpeg.InstallHint)
	}
	return stdout.String()
}

// runFFmpeg runs ffmpeg with a video as the input.
func runFFmpeg(t *testing.T, video string, args ...string) []byte {
	t.Helper()
	return []byte(tool(t, "ffmpeg", append([]string{"-v", "error", "-i", video}, args...)...))
}

// hashes returns the MD5 sum of each frame of a video. The options precede the input.
func hashes(t *testing.T, video string, options ...string) []string {
	t.Helper()
	output := []string{"-i", video, "-fps_mode", "passthrough", "-f", "framemd5", "-"}
	args := slices.Concat([]string{"-v", "error"}, options, output)
	var list []string
	for line := range strings.Lines(tool(t, "ffmpeg", args...)) {
		if !strings.HasPrefix(line, "#") {
			fields := strings.Split(strings.TrimSpace(line), ",")
			list = append(list, strings.TrimSpace(fields[len(fields)-1]))
		}
	}
	return list
}

// leastPSNR returns the lowest PSNR of a frame of video a compared with video b, in dB.
func leastPSNR(t *testing.T, a, b string) float64 {
	t.Helper()
	stats := tool(t, "ffmpeg", "-v", "error", "-i", a, "-i", b, "-lavfi", "psnr=stats_file=-", "-f", "null", "-")
	least := math.Inf(1)
	for _, match := range regexp.MustCompile(`psnr_avg:(\S+)`).FindAllStringSubmatch(stats, -1) {
		value, err := strconv.ParseFloat(match[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		least = min(least, value)
	}
	if !strings.Contains(stats, "psnr_avg") {
		t.Fatalf("ffmpeg compared no frames: %q", stats)
	}
	return least
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// events collects the events of a job.
type events struct {
	mu   sync.Mutex
	list []Event
}

func (e *events) add(event Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, event)
}

// partitions returns the partitions of the events of a type, in order.
func (e *events) partitions(kind EventType) (ids []int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.list {
		if event.Type == kind {
			ids = append(ids, event.Partition)
		}
	}
	return ids
}

// checkClean checks that a job leaves no process and no temporary files.
func checkClean(t *testing.T, j *Job) {
	t.Helper()
	for _, c := range children() {
		t.Errorf("%s (%d) is still running", c.name, c.pid)
	}
	for _, dir := range []string{j.Chunks.Path(""), filepath.Dir(j.Output)} {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				t.Errorf("%s still exists", filepath.Join(dir, e.Name()))
			}
		}
	}
}
