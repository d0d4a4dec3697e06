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

// planMany plans a job of so many partitions, of a frame each.
func (s *stack) planMany(t *testing.T, partitions int) cloud.Planned {
	t.Helper()
	p, _ := s.planAs(t, fmt.Sprintf(`{"input":"s3://helios-test/sites/a/","output":"renders/a.mp4","concurrency":%d}`, partitions),
		fmt.Sprintf(`{"width":32,"height":32,"fps":"10","duration":%d.%d,"seekMode":"direct","frameMs":1,"chromium":"156","ffmpeg":"5"}`, partitions/10, partitions%10))
	if p.Partitions != partitions || p.Frames != int64(partitions) {
		t.Fatalf("the plan is %+v", p)
	}
	return p
}

// mapState returns the state over the partitions, in the branch that it is in.
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

// itemsByMoto runs the state over the partitions of a job, with children that do nothing, and returns what they were
// given.
func (s *stack) itemsByMoto(t *testing.T, p cloud.Planned) (events []any) {
	t.Helper()
	branch, partitions := mapState(t)
	partitions["ItemProcessor"].(map[string]any)["States"] = map[string]any{"Render": map[string]any{"Type": "Pass", "End": true}}
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
	out, err := states.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: &arn, Input: aws.String(string(input))})
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

// itemsByRule does as the States Language says of ItemReader and ItemSelector: the object is a JSON array, and each
// of its items is put into the selector's places.
func (s *stack) itemsByRule(t *testing.T, p cloud.Planned) (events []any) {
	t.Helper()
	_, state := mapState(t)
	reader := state["ItemReader"].(map[string]any)
	if reader["Resource"] != "arn:aws:states:::s3:getObject" || !reflect.DeepEqual(reader["ReaderConfig"], map[string]any{"InputType": "JSON"}) {
		t.Fatalf("the reader is %v, which this test does not know", reader)
	}
	input := map[string]any{}
	data, err := json.Marshal(map[string]any{"plan": map[string]any{"Payload": p}})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &input); err != nil {
		t.Fatal(err)
	}
	object := fill(t, reader["Parameters"], input, nil).(map[string]any)
	if object["Bucket"] != bucket {
		t.Errorf("it is in %v", object["Bucket"])
	}
	var items []any
	if err := s.bucket.GetJSON(t.Context(), object["Key"].(string), &items); err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		events = append(events, fill(t, state["ItemSelector"], input, item))
	}
	return events
}

// fill evaluates the paths in a template.
func fill(t *testing.T, template any, input map[string]any, item any) any {
	t.Helper()
	object, ok := template.(map[string]any)
	if !ok {
		return template
	}
	filled := map[string]any{}
	for name, value := range object {
		plain, isPath := strings.CutSuffix(name, ".$")
		if !isPath {
			filled[name] = fill(t, value, input, item)
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

// The map hands out ten thousand partitions as the plan wrote them down. moto would take half an hour for them; it
// reads a few as the rules say.
func TestTenThousandItems(t *testing.T) {
	s := start(t)
	few := s.planMany(t, 25)
	if byMoto, byRule := s.itemsByMoto(t, few), s.itemsByRule(t, few); !reflect.DeepEqual(byMoto, byRule) {
		t.Errorf("moto hands out\n%v\nand by the rules it is\n%v", byMoto, byRule)
	}
	p := s.planMany(t, 10_000)
	events := s.itemsByRule(t, p)
	if len(events) != 10_000 {
		t.Fatalf("there are %d items", len(events))
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
		if e.Action != "render" || e.JobID != p.JobID || w.ID != i || w.StartFrame != frame || w.FrameCount != 1 || w.OutputFile != fmt.Sprintf("a.%04d.mp4", i) {
			t.Fatalf("event %d is %s", i, data)
		}
		frame += w.FrameCount
	}
	if size := len(mustJSON(t, p)); size > 1000 {
		t.Errorf("the state carries %d bytes", size)
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

// chunkOf returns the chunk of a partition of a job, as the chunk function would make it: with where it belongs in
// its comment, in places of a fixed length.
func chunkOf(t *testing.T, jobID string, partitions int) func(partition int) []byte {
	t.Helper()
	const place = `"partition":    0`
	path := filepath.Join(t.TempDir(), "chunk.mp4")
	comment := fmt.Sprintf(`{"chunk":{"job":%q,%s,"partitions":%d},"frames":1,"chromium":"156","ffmpeg":"5"}`, jobID, place, partitions)
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=32x32:r=10", "-frames:v", "1", "-c:v", "libx264", "-preset", "ultrafast",
		"-pix_fmt", "yuv420p", "-bf", "0", "-video_track_timescale", "10000", "-metadata", "comment="+comment, path).CombinedOutput()
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

// Merging ten thousand chunks takes the memory that a function has many times over, and two reads of each.
func TestTenThousandChunks(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1000, 10_000} {
		s := alone(t)
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
		if answer, failed := s.merge(t, p); failed != "" {
			t.Fatal(answer)
		}
		if got := len(frameMD5(t, s.download(t, "renders/a.mp4"))); got != n {
			t.Errorf("the output has %d frames of %d", got, n)
		}
		progress, err := cloud.ReadProgress(t.Context(), s.bucket, p.JobID, cloud.PricesOf("arm64"))
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range progress.Usage {
			if u.Unit == cloud.UnitMerge && u.Gets > int64(n)*21/10 {
				t.Errorf("%d chunks took %d reads", n, u.Gets)
			}
		}
		// What is in memory of an upload and of the chunks' tables is no more than some 60 MiB, however long the
		// output.
		plan, merge := peak(t, s.lambda.Environments("plan")[0].PID), peak(t, s.lambda.Environments("merge")[0].PID)
		t.Logf("%d chunks: plan took %d MiB of memory, merge %d", n, plan>>10, merge>>10)
		if plan>>10 > 128 || merge>>10 > 128 {
			t.Errorf("that is too much")
		}
	}
}

// peak returns the most memory that a process has had, in KiB.
func peak(t *testing.T, pid int) int {
	t.Helper()
	status := string(read(t, fmt.Sprintf("/proc/%d/status", pid)))
	_, line, _ := strings.Cut(status, "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(line)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib
}
