package plan_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"helios/shared/job"
	"helios/shared/plan"
)

// fakeHelios returns the arguments that each installed shell passes to helios in a command.
func fakeHelios(t *testing.T, line string) map[string][]string {
	t.Helper()
	bin := t.TempDir()
	script := "#!/bin/sh\nprintf '%s\\0' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "helios"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	args := make(map[string][]string)
	for _, shell := range []string{"sh", "dash", "bash"} {
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("skipping %s: %v", shell, err)
			continue
		}
		cmd := exec.Command(shell, "-c", line)
		cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", shell, err)
		}
		args[shell] = strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	}
	return args
}

var awkwardNames = []string{
	"intro", "my intro", "it's $HOME; rm -rf x", "-o", "--", "日本語", "two\nlines", `50% \n \\ "q" 100%%d`, "~", "*", "`id`",
}

func TestCommandsSurviveTheShell(t *testing.T) {
	for _, name := range awkwardNames {
		t.Run(name, func(t *testing.T) {
			spec := mustPlan(t, plan.Options{Config: job.Config{
				Input: name + ".html", Output: name + ".mp4", FrameCount: 20, StartFrame: 5, FPS: ntsc,
				Props: json.RawMessage(`{"title": "it's <b>$50</b>\n"}`), AllowMissingAssets: true,
			}, Concurrency: 2})
			input, output := job.PathWord(name+".html"), job.PathWord(name+".mp4")
			chunks := []string{job.PathWord(name + ".0000.mp4"), job.PathWord(name + ".0001.mp4")}
			for i, p := range spec.Partitions {
				want := []string{
					"render", input, "--start-frame", strconv.Itoa(5 + 10*i), "--frame-count", "10",
					"--chunk", fmt.Sprintf("%s:%d/2", spec.JobID, i),
					"--width", "1920", "--height", "1080", "--scale", "1", "--fps", "30000/1001",
					"--props", `{"title":"it's <b>$50</b>\n"}`, "--timeout", "30", "--format", "mp4", "--video-codec", "libx264",
					"--preset", "veryfast", "--quality", "16", "--audio-codec", "aac", "--seek-mode", "replay",
					"--capture", "stream", "--allow-missing-assets", "--concurrency", "1", "--overwrite",
					"-o", chunks[i],
				}
				for shell, got := range fakeHelios(t, p.Command) {
					if !slices.Equal(got, want) {
						t.Errorf("%s passes the arguments\n%q, want\n%q", shell, got, want)
					}
				}
			}
			want := append([]string{"merge", output}, chunks...)
			for shell, got := range fakeHelios(t, spec.Merge.Command) {
				if !slices.Equal(got, want) {
					t.Errorf("%s passes the arguments\n%q, want\n%q", shell, got, want)
				}
			}
		})
	}
}

// The names of 10,000 chunks do not fit into one command for sh -c.
func TestMergeCommandOfManyChunks(t *testing.T) {
	for _, name := range []string{"intro", "it's $HOME", "-o", `50% \n \\ 100%%d`, "two\nlines"} {
		t.Run(name, func(t *testing.T) {
			config := job.Config{Input: "a.html", Output: "out/" + name + ".mp4", FrameCount: 10_000}
			spec := mustPlan(t, plan.Options{Config: config, Concurrency: 10_000})
			want := []string{"merge", "out/" + name + ".mp4"}
			for _, input := range spec.Merge.Inputs {
				want = append(want, job.PathWord(input))
			}
			for shell, got := range fakeHelios(t, spec.Merge.Command) {
				if !slices.Equal(got, want) {
					t.Errorf("%s passes %d arguments that start with %q, want %d that start with %q",
						shell, len(got), got[:min(4, len(got))], len(want), want[:4])
				}
			}
		})
	}
}
