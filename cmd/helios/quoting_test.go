package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"helios/shared/job"
)

// box is a composition of 3 frames that differ.
const box = `<!doctype html>
<html data-duration="0.3" data-fps="10" data-width="64" data-height="36">
<style>
	body { margin: 0; background: #123 }
	div { width: 20px; height: 20px; background: #fc0; animation: move 1s linear infinite }
	@keyframes move { to { transform: translateX(44px) rotate(1turn) } }
</style>
<div></div>
`

// The commands of a job spec work for file names with any characters, and create the same frames as helios render.
func TestCommandsWithUnusualFileNames(t *testing.T) {
	for _, name := range []string{
		"-o.html",
		"it's my $HOME; rm -rf 日本語.html",
		"`id` \"%s\" \\n*\ntwo lines.html",
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
				t.Error("the frames of the commands differ from those of helios render (-render +commands):\n" + diff)
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
				t.Error("unexpected files (-want +got):\n" + diff)
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
