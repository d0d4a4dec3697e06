//go:build cloud

package functions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"golang.org/x/sync/errgroup"

	"helios/shared/cloud"
)

// planMany plans a job with a number of partitions of one frame each.
func (s *stack) planMany(t *testing.T, partitions int) cloud.Planned {
	t.Helper()
	request := fmt.Sprintf(`{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":%d}`, partitions)
	inspection := fmt.Sprintf(`{"width": 32, "height": 32, "fps": "10", "duration": %d.%d, "seekMode": "direct",
		"frameMs": 1, "chromium": "156", "ffmpeg": "5"}`, partitions/10, partitions%10)
	p, _ := s.planWith(t, request, inspection)
	if p.Partitions != partitions || p.Frames != int64(partitions) {
		t.Fatalf("the plan is %+v", p)
	}
	return p
}

// mapState returns the map state over the partitions and the branch that contains it.
func mapState(t *testing.T) (branch, partitions map[string]any) {
	t.Helper()
	data, err := os.ReadFile("../statemachine/render.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	var machine struct {
		States struct {
			Work struct{ Branches []map[string]any }
		}
	}
	if err := json.Unmarshal(bytes.ReplaceAll(data, []byte("${Bucket}"), []byte(bucket)), &machine); err != nil {
		t.Fatal(err)
	}
	branch = machine.States.Work.Branches[0]
	return branch, branch["States"].(map[string]any)["Partitions"].(map[string]any)
}

// itemsByMoto runs the map over the partitions of a job in moto and returns the inputs of its children, which do
// nothing.
func (s *stack) itemsByMoto(t *testing.T, p cloud.Planned) (events []any) {
	t.Helper()
	branch, partitions := mapState(t)
	pass := map[string]any{"Type": "Pass", "End": true}
	partitions["ItemProcessor"].(map[string]any)["States"] = map[string]any{"Render": pass}
	delete(partitions, "ResultPath")
	definition, err := json.Marshal(branch)
	if err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(map[string]any{"plan": map[string]any{"Payload": p}})
	if err != nil {
		t.Fatal(err)
	}
	arn := s.CreateStateMachine(t, "eu-west-2", "items", string(definition))
	states := sfn.New(s.states.Options(), func(o *sfn.Options) { o.Region = "eu-west-2" })
	out, err := states.StartExecution(t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: &arn, Input: aws.String(string(input)),
	})
	if err != nil {
		t.Fatal(err)
	}
	d := wait(t, states, *out.ExecutionArn)
	if d.Status != types.ExecutionStatusSucceeded {
		t.Fatalf("%s: %s", aws.ToString(d.Error), aws.ToString(d.Cause))
	}
	if err := json.Unmarshal([]byte(*d.Output), &events); err != nil {
		t.Fatal(err)
	}
	return events
}

// itemsByRule implements ItemReader and ItemSelector as the States Language specifies them, and returns the inputs of
// the children.
func (s *stack) itemsByRule(t *testing.T, p cloud.Planned) (events []any) {
	t.Helper()
	_, state := mapState(t)
	reader := state["ItemReader"].(map[string]any)
	if reader["Resource"] != "arn:aws:states:::s3:getObject" ||
		!reflect.DeepEqual(reader["ReaderConfig"], map[string]any{"InputType": "JSON"}) {
		t.Fatalf("the test does not support the reader %v", reader)
	}
	input := map[string]any{}
	data, err := json.Marshal(map[string]any{"plan": map[string]any{"Payload": p}})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &input); err != nil {
		t.Fatal(err)
	}
	object := evaluate(t, reader["Parameters"], input, nil).(map[string]any)
	if object["Bucket"] != bucket {
		t.Errorf("the bucket is %v", object["Bucket"])
	}
	var items []any
	if err := s.bucket.GetJSON(t.Context(), object["Key"].(string), &items); err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		events = append(events, evaluate(t, state["ItemSelector"], input, item))
	}
	return events
}

// evaluate replaces the paths in a template.
func evaluate(t *testing.T, template any, input map[string]any, item any) any {
	t.Helper()
	object, ok := template.(map[string]any)
	if !ok {
		return template
	}
	filled := map[string]any{}
	for name, value := range object {
		plain, isPath := strings.CutSuffix(name, ".$")
		if !isPath {
			filled[name] = evaluate(t, value, input, item)
			continue
		}
		path := value.(string)
		if path == "$$.Map.Item.Value" {
			filled[plain] = item
			continue
		}
		at := any(input)
		for step := range strings.SplitSeq(strings.TrimPrefix(path, "$."), ".") {
			if at, ok = at.(map[string]any)[step]; !ok {
				t.Fatalf("%s is not in the input", path)
			}
		}
		filled[plain] = at
	}
	return filled
}

// The map passes 10,000 partitions to its children as the plan function wrote them. moto would need half an hour, so
// the test uses itemsByRule instead. For 25 partitions, it checks that both return the same.
func TestTenThousandItems(t *testing.T) {
	s := startStack(t)
	few := s.planMany(t, 25)
	if byMoto, byRule := s.itemsByMoto(t, few), s.itemsByRule(t, few); !reflect.DeepEqual(byMoto, byRule) {
		t.Errorf("moto returns\n%v\nand the rules\n%v", byMoto, byRule)
	}
	p := s.planMany(t, 10_000)
	events := s.itemsByRule(t, p)
	if len(events) != 10_000 {
		t.Fatalf("%d items", len(events))
	}
	frame := int64(0)
	for i, event := range events {
		data, err := json.Marshal(event)
		if err != nil || len(data) > 1000 {
			t.Fatalf("event %d has %d bytes: %v", i, len(data), err)
		}
		var e cloud.RenderEvent
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			t.Fatal(err)
		}
		w := e.Partition
		if e.Action != "render" || e.JobID != p.JobID || w.ID != i || w.StartFrame != frame || w.FrameCount != 1 ||
			w.OutputFile != fmt.Sprintf("a.%04d.mp4", i) {
			t.Fatalf("event %d is %s", i, data)
		}
		frame += w.FrameCount
	}
	if size := len(mustJSON(t, p)); size > 1000 {
		t.Errorf("the payload has %d bytes", size)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// chunkOf returns a function that makes the chunk of a partition, with the provenance in its comment. The comment has
// a fixed length, so that one encoded chunk serves for all.
func chunkOf(t *testing.T, jobID string, partitions int) func(partition int) []byte {
	t.Helper()
	const place = `"partition":    0`
	path := filepath.Join(t.TempDir(), "chunk.mp4")
	comment := fmt.Sprintf(`{"chunk":{"job":%q,%s,"partitions":%d},"frames":1,"chromium":"156","ffmpeg":"5"}`,
		jobID, place, partitions)
	out, err := exec.Command("ffmpeg", "-v", "error",
		"-f", "lavfi", "-i", "testsrc=s=32x32:r=10", "-frames:v", "1",
		"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "0",
		"-video_track_timescale", "10000", "-metadata", "comment="+comment, path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	chunk := read(t, path)
	if bytes.Count(chunk, []byte(place)) != 1 {
		t.Fatal("the chunk has no comment")
	}
	return func(partition int) []byte {
		return bytes.Replace(chunk, []byte(place), fmt.Appendf(nil, `"partition":%5d`, partition), 1)
	}
}

// Merging 10,000 chunks takes a small part of a function's memory, and two read requests per chunk.
func TestTenThousandChunks(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1000, 10_000} {
		s := startFunctions(t)
		s.lambda.SetTimeout("merge", 15*time.Minute) // as in template.yaml
		p := s.planMany(t, n)
		chunk := chunkOf(t, p.JobID, n)
		g, ctx := errgroup.WithContext(t.Context())
		g.SetLimit(8)
		for i := range n {
			g.Go(func() error {
				return s.bucket.Put(ctx, fmt.Sprintf("%sa.%04d.mp4", cloud.Job(p.JobID).Prefix(), i), chunk(i))
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if response, failed := s.merge(t, p); failed != "" {
			t.Fatal(response)
		}
		if got := len(frameMD5(t, s.download(t, "renders/a.mp4"))); got != n {
			t.Errorf("the output has %d frames, want %d", got, n)
		}
		progress, err := cloud.ReadProgress(t.Context(), s.bucket, p.JobID, cloud.PricesOf("arm64"))
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range progress.Usage {
			if u.Unit == cloud.UnitMerge && u.Gets > int64(n)*21/10 {
				t.Errorf("%d chunks took %d read requests", n, u.Gets)
			}
		}
		// The parts of the upload and the chunks' tables take about 60 MiB, independent of the length of the output.
		plan := peakMemory(t, s.lambda.Environments("plan")[0].PID)
		merge := peakMemory(t, s.lambda.Environments("merge")[0].PID)
		t.Logf("%d chunks: plan took %d MiB, merge %d MiB", n, plan>>10, merge>>10)
		if plan>>10 > 128 || merge>>10 > 128 {
			t.Errorf("plan takes %d MiB and merge %d MiB, want at most 128", plan>>10, merge>>10)
		}
	}
}

// peakMemory returns the peak memory of a process in KiB.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	status := string(read(t, fmt.Sprintf("/proc/%d/status", pid)))
	_, line, _ := strings.Cut(status, "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(line)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib
}
