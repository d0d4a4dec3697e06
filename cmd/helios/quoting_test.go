package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"helios/shared/job"
)

const box = `<!doctype html>
<html data-duration="0.3" data-fps="10" data-width="64" data-height="36">
<style>
	body { margin: 0; background: #123 }
	div { width: 20px; height: 20px; background: #fc0; animation: move 1s linear infinite }
	@keyframes move { to { transform: translateX(44px) rotate(1turn) } }
</style>
<div></div>
`

// Whatever a file is called, the commands of a job spec mean it, and they make what helios render makes.
func TestCommandsOfOddNames(t *testing.T) {
	for _, name := range []string{
		"my intro.html",
		"it's $HOME; rm -rf x.html",
		"-o.html",
		"日本語.html",
		"two\nlines.html",
		"`id` \"%s\" \\n*.html",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, name), box)
			output := strings.TrimSuffix(name, ".html") + ".mp4"

			helios(t, dir, "render", "--output=direct.mp4", "--concurrency=2", "--", name)
			helios(t, dir, "render", "--output="+output, "--emit-job=job.json", "--concurrency=2", "--", name)
			spec := readJob(t, filepath.Join(dir, "job.json"))
			for _, p := range spec.Partitions {
				sh(t, dir, p.Command)
			}
			sh(t, dir, spec.Merge.Command)

			want, err := frameDigests(filepath.Join(dir, "direct.mp4"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := frameDigests(filepath.Join(dir, output))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error("the commands make other frames than helios render (-render +commands):\n" + diff)
			}
			wantFiles := []string{name, "direct.mp4", "job.json", output}
			for _, p := range spec.Partitions {
				wantFiles = append(wantFiles, p.OutputFile)
			}
			var files []string
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				files = append(files, e.Name())
			}
			if diff := cmp.Diff(wantFiles, files, sortStrings); diff != "" {
				t.Error("other files than expected (-want +got):\n" + diff)
			}
		})
	}
}

var sortStrings = cmp.Transformer("sort", func(list []string) map[string]bool {
	set := map[string]bool{}
	for _, s := range list {
		set[s] = true
	}
	return set
})

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func readJob(t *testing.T, file string) *job.Spec {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	spec := new(job.Spec)
	if err := json.Unmarshal(data, spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

// helios runs the command in a folder and returns what it prints on standard output.
func helios(t *testing.T, dir string, args ...string) string {
	t.Helper()
	return runIn(t, dir, "helios", args...)
}

func sh(t *testing.T, dir, line string) { t.Helper(); runIn(t, dir, "sh", "-c", line) }

func runIn(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, &stderr)
	}
	return string(out)
}
