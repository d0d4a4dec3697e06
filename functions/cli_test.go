//go:build cloud

package functions

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"helios/shared/cloud"
	"helios/shared/remote"
)

// commandLine is a shell with a working folder and an environment that selects the stack.
type commandLine struct {
	dir string
	env []string
}

func (s *stack) commandLine(t *testing.T) *commandLine {
	t.Helper()
	programs := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", programs, "../cmd/helios")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("compiling helios: %v\n%s", err, out)
	}
	return &commandLine{t.TempDir(), []string{
		"PATH=" + programs + ":" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "HELIOS_CACHE=" + t.TempDir(), "TERM=xterm",
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=AKIATEST", "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_EC2_METADATA_DISABLED=true",
		cloud.BucketVariable + "=" + bucket, cloud.StateMachineVariable + "=" + s.machine,
	}}
}

// run runs a shell command and returns its standard output.
func (c *commandLine) run(t *testing.T, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir, cmd.Env = c.dir, c.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", command, err, &stdout, &stderr)
	}
	return stdout.String()
}

// helios cloud render uploads a local composition, shows the progress on a terminal and downloads the output. The
// frames equal those of helios render.
func TestCloudCommandLine(t *testing.T) {
	s := startStack(t)
	c := s.commandLine(t)
	const frames = 1600 // enough to report progress in between
	for name, text := range map[string]string{
		"my intro/index.html": strings.Replace(strings.Replace(page, `data-duration="1.2"`, `data-duration="160"`, 1),
			"<style>", `<link rel="stylesheet" href="css/more%20style.css"><style>`, 1),
		"my intro/css/more style.css": "p { font: 20px monospace; text-shadow: 1px 1px red }",
	} {
		file := filepath.Join(c.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	endpoint := " --endpoint-url " + s.URL
	screen := c.run(t, `script -qec 'stty cols 120 rows 30; `+
		`exec helios cloud render "my intro" -o out.mp4 --concurrency 3`+endpoint+`' /dev/null`)
	if !strings.Contains(screen, "uploaded 2 of 2 files") || !strings.Contains(screen, "out.mp4") {
		t.Errorf("the screen showed %q", screen)
	}
	last, between := 0, 0
	for _, m := range regexp.MustCompile(`partitions .* (\d+)/1600 frames`).FindAllStringSubmatch(screen, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil || n < last || n > frames {
			t.Errorf("after %d frames: %q, %v", last, m[0], err)
		}
		if n != last && n != frames {
			between++
		}
		last = n
	}
	if last != frames || between == 0 {
		t.Errorf("the progress bar ended at %d after %d steps: %q", last, between, screen)
	}

	c.run(t, `helios render "my intro" -o local.mp4 --concurrency 3 --quiet`)
	want := frameMD5(t, filepath.Join(c.dir, "local.mp4"))
	if got := frameMD5(t, filepath.Join(c.dir, "out.mp4")); len(want) != frames || !slices.Equal(got, want) {
		t.Errorf("the %d frames differ from the %d of helios render", len(got), len(want))
	}

	var list []remote.Render
	if err := json.Unmarshal([]byte(c.run(t, "helios cloud list --json"+endpoint)), &list); err != nil || len(list) != 1 ||
		!strings.HasPrefix(list[0].ID, "my-intro-") {
		t.Fatalf("the list is %+v: %v", list, err)
	}
	id := list[0].ID
	var status remote.Render
	if err := json.Unmarshal([]byte(c.run(t, "helios cloud status --json "+id+endpoint)), &status); err != nil {
		t.Fatal(err)
	}
	if p := status.Progress; status.Status != remote.Succeeded || p == nil || p.Frames != frames || p.Done != 3 ||
		len(p.Partitions) != 3 || p.Dollars <= 0 {
		t.Errorf("the status is %+v", status)
	}
	c.run(t, "helios cloud fetch "+id+" -o again.mp4 --quiet"+endpoint)
	if a, b := read(t, filepath.Join(c.dir, "out.mp4")), read(t, filepath.Join(c.dir, "again.mp4")); !bytes.Equal(a, b) {
		t.Error("the second download differs")
	}

	// Only the changed file is uploaded again.
	style := filepath.Join(c.dir, "my intro/css/more style.css")
	if err := os.WriteFile(style, []byte("p { color: red }"), 0o600); err != nil {
		t.Fatal(err)
	}
	// moto runs only one execution per region.
	west := sfn.New(s.states.Options(), func(o *sfn.Options) { o.Region = "us-west-2" })
	messages := c.run(t, `helios cloud render "my intro" --detach --frame-count 1 --state-machine `+
		createMachine(t, west)+endpoint+` 2>&1`)
	if !strings.Contains(messages, "uploaded 1 of 2 files") {
		t.Errorf("it printed %s", messages)
	}
}
