//go:build cloud

package functions

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helios/shared/cloud"
	"helios/shared/job"
)

// The plan function and helios render --emit-job make the same partitions.
func TestPlanEqualsCommandLine(t *testing.T) {
	t.Parallel()
	s := startFunctions(t)
	s.put(t, "sites/a/index.html", page)
	for _, test := range []struct {
		request string
		flags   []string
	}{
		{`"concurrency":3`, []string{"--concurrency", "3"}},
		{`"concurrency":12`, []string{"--concurrency", "12"}},
		{`"concurrency":5,"fps":"30000/1001","duration":2.5,"startFrame":7`,
			[]string{"--concurrency", "5", "--fps", "30000/1001", "--duration", "2.5", "--start-frame", "7"}},
	} {
		p := s.plan(t, `{"input":"s3://helios-test/sites/a/","output":"renders/a b.mp4",`+test.request+`}`)
		var planned job.Spec
		if err := s.bucket.GetJSON(t.Context(), cloud.Job(p.JobID).Spec(), &planned); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "job.json")
		cmd := exec.Command("go", append([]string{
			"run", "helios/cmd/helios", "render", dir, "-o", filepath.Join(dir, "a b.mp4"), "--emit-job", file,
		}, test.flags...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		emitted, err := job.Parse(read(t, file))
		if err != nil {
			t.Fatal(err)
		}
		want, got := outline(emitted), outline(&planned)
		if len(want) < 3 || !slices.Equal(want, got) {
			t.Errorf("%s: the function plans\n%s\nwant\n%s", test.request, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		items := s.items(t, p)
		for i, partition := range planned.Partitions {
			want := cloud.PartitionItem{
				ID: partition.ID, StartFrame: partition.StartFrame, FrameCount: partition.FrameCount,
				OutputFile: partition.OutputFile,
			}
			if i >= len(items) || items[i] != want {
				t.Errorf("%s: item %d differs from the spec", test.request, i)
			}
		}
	}
}

// outline lists the partitions of a spec.
func outline(spec *job.Spec) (list []string) {
	for _, p := range spec.Partitions {
		list = append(list, fmt.Sprintf("%d: %d frames from %d to %s", p.ID, p.FrameCount, p.StartFrame, p.OutputFile))
	}
	return append(list, strings.Join(spec.Merge.Inputs, " "))
}

// The plan depends on the measured speed, the request and the limit of the stack.
func TestPlanPartitions(t *testing.T) {
	t.Parallel()
	s := startFunctions(t) // allows 3 at a time
	for _, test := range []struct {
		request            string
		frameMS, replayMS  int
		partitions, atOnce int
		wantError          string
	}{
		{request: ``, frameMS: 200, partitions: 2, atOnce: 3},
		{request: `,"targetChunkSeconds":10`, frameMS: 200, partitions: 12, atOnce: 3},
		{request: `,"targetChunkSeconds":10,"maxConcurrency":2`, frameMS: 200, partitions: 12, atOnce: 2},
		{request: `,"maxConcurrency":500`, frameMS: 1000, partitions: 10, atOnce: 3},
		{request: `,"concurrency":7`, frameMS: 200, partitions: 7, atOnce: 3},
		{request: `,"targetChunkSeconds":800`, frameMS: 20_000, partitions: 15, atOnce: 3},
		{
			request: `,"concurrency":1`, frameMS: 2000,
			wantError: "600 frames take about 20m0s (2s per frame), more than the limit of 14m0s",
		},
		{request: ``, frameMS: 2000, replayMS: 1500, wantError: "1.5s to replay a frame"},
	} {
		seek := "direct"
		if test.replayMS > 0 {
			seek = "replay"
		}
		response, failed := s.call(t, "plan", map[string]any{
			"action": "plan", "execution": map[string]string{"name": "x"},
			"request": json.RawMessage(`{"input":"s3://helios-test/sites/a/"` + test.request + `}`),
			"inspection": json.RawMessage(fmt.Sprintf(`{"width": 64, "height": 64, "fps": "30", "duration": 20,
				"seekMode": %q, "frameMs": %d, "replayMs": %d, "chromium": "156", "ffmpeg": "5"}`,
				seek, test.frameMS, test.replayMS)),
		})
		if test.wantError != "" {
			if failed != cloud.UserError || !strings.Contains(response, test.wantError) {
				t.Errorf("%+v returned %s", test, response)
			}
			continue
		}
		var p cloud.Planned
		if err := json.Unmarshal([]byte(response), &p); err != nil || failed != "" {
			t.Errorf("%+v returned %s", test, response)
			continue
		}
		if p.Partitions != test.partitions || p.MaxConcurrency != test.atOnce {
			t.Errorf("%+v returned %d partitions, %d at once", test, p.Partitions, p.MaxConcurrency)
		}
	}
}
