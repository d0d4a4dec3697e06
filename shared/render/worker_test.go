package render

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/store"
)

// fakes is a backend without Chromium and ffmpeg. A chunk is a JSON stitch.Info.
type fakes struct {
	// fail returns the error of an attempt at a partition; attempts count from 1. It may be nil.
	fail func(partition, attempt int) error
	// repeat is the number of frames at the end of a partition that equal the previous frame.
	repeat int64

	mu       sync.Mutex
	attempts map[int]int
	launched int // browsers that were started
	released int // browsers that went back to the pool
	written  map[string][]int64
}

func (f *fakes) backend() *backend {
	f.attempts, f.written = map[int]int{}, map[string][]int64{}
	return &backend{
		newPlayer: func() player { return &fakePlayer{fakes: f} },
		startEncoder: func(_ context.Context, comment, out string) (encoder, error) {
			return &fakeEncoder{fakes: f, out: out, info: stitch.Info{Comment: comment}}, nil
		},
		probe: func(_ context.Context, chunks store.Store, name string) (info stitch.Info, err error) {
			data, err := os.ReadFile(chunks.(store.Dir).Path(name))
			if err != nil {
				return info, err
			}
			return info, json.Unmarshal(data, &info)
		},
	}
}

type fakePlayer struct {
	fakes   *fakes
	running bool // whether it has a browser
}

func (p *fakePlayer) Play(
	ctx context.Context, part job.Partition, missing func(browser.Asset), emit func(capture.Frame) error,
) error {
	f := p.fakes
	f.mu.Lock()
	if !p.running {
		p.running = true
		f.launched++
	}
	f.attempts[part.ID]++
	attempt := f.attempts[part.ID]
	f.mu.Unlock()
	missing(browser.Asset{URL: "gone.png", Problem: "404 Not Found"})
	end := part.StartFrame + part.FrameCount
	for n := part.StartFrame; n < end; n++ {
		// Half of the frames come before the failure.
		if f.fail != nil && n == part.StartFrame+part.FrameCount/2 {
			if err := f.fail(part.ID, attempt); err != nil {
				return err
			}
		}
		frame := capture.Frame{Index: n, PNG: fmt.Append(nil, n), Repeated: n >= end-f.repeat}
		if err := emit(frame); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (p *fakePlayer) Reset() { p.running = false }

func (p *fakePlayer) Release() {
	p.fakes.mu.Lock()
	defer p.fakes.mu.Unlock()
	if p.running {
		p.fakes.released++
	}
	p.running = false
}

type fakeEncoder struct {
	fakes   *fakes
	out     string
	info    stitch.Info
	written []int64 // the frames that were not repeated
}

func (e *fakeEncoder) WriteFrame(frame []byte) error {
	var n int64
	fmt.Sscan(string(frame), &n)
	e.written = append(e.written, n)
	e.info.Frames++
	return nil
}

func (e *fakeEncoder) RepeatFrame() { e.info.Frames++ }

func (e *fakeEncoder) Close() error {
	data, err := json.Marshal(e.info)
	if err != nil {
		return err
	}
	e.fakes.mu.Lock()
	defer e.fakes.mu.Unlock()
	e.fakes.written[e.info.Comment] = e.written
	return os.WriteFile(e.out, data, 0o666)
}

func (e *fakeEncoder) Abort() {}

// fakeJob returns a job of three partitions with eight frames each.
func fakeJob(t *testing.T, f *fakes) (*Job, *events) {
	t.Helper()
	o := small("page.html")
	o.FrameCount, o.Concurrency = 24, 3
	j := planned(t, o, capture.Composition{})
	var e events
	j.Merge, j.Workers, j.Report = false, 1, e.add
	j.backend, j.tools = f.backend(), Tools{Chromium: "156", FFmpeg: "5.1"}
	return j, &e
}

// chunks returns the contents of the chunks of a job.
func chunks(t *testing.T, j *Job) (list [][]byte) {
	t.Helper()
	for _, p := range j.Spec.Partitions {
		list = append(list, read(t, j.Chunks.Path(p.OutputFile)))
	}
	return list
}

func TestWorkerReusesItsBrowser(t *testing.T) {
	f := &fakes{}
	j, e := fakeJob(t, f)
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.launched != 1 || f.released != 1 {
		t.Errorf("%d browsers were launched and %d released, want 1 and 1", f.launched, f.released)
	}
	if done := e.partitions(PartitionDone); !slices.Equal(done, []int{0, 1, 2}) {
		t.Errorf("the partitions %v are done, want 0, 1 and 2", done)
	}
	for i, chunk := range chunks(t, j) {
		if want := fmt.Sprintf(`"partition\":%d`, i); !strings.Contains(string(chunk), want) {
			t.Errorf("chunk %d is %s, want %s in it", i, chunk, want)
		}
	}
	warnings := e.partitions(Warning)
	if want := "missing gone.png (404 Not Found)"; !slices.Equal(warnings, []int{0, 1, 2}) || e.list[2].Message != want {
		t.Errorf("the partitions with warnings are %v, the first one is %+v", warnings, e.list[2])
	}
	checkClean(t, j)
}

// Repeated frames are not written, except the last one of a chunk, which the encoder needs.
func TestWorkerRepeatsFrames(t *testing.T) {
	f := &fakes{repeat: 5}
	j, _ := fakeJob(t, f)
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range j.Spec.Partitions {
		s := p.StartFrame
		want := []int64{s, s + 1, s + 2, s + 7}
		if got := f.written[j.provenance(p).comment()]; !slices.Equal(got, want) {
			t.Errorf("partition %d: the frames %v were written, want %v", p.ID, got, want)
		}
	}
}

func TestTransientErrorIsRetriedWithAnotherBrowser(t *testing.T) {
	want := func() [][]byte {
		j, _ := fakeJob(t, &fakes{})
		if err := j.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return chunks(t, j)
	}()
	f := &fakes{fail: func(partition, attempt int) error {
		if partition == 1 && attempt <= 2 {
			return fmt.Errorf("frame 12: %w", fault.Transientf("Chromium was killed"))
		}
		return nil
	}}
	j, e := fakeJob(t, f)
	j.Retries = 2
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f.launched != 3 || f.released != 1 {
		t.Errorf("%d browsers were launched and %d released, want 3 and 1", f.launched, f.released)
	}
	if started := e.partitions(PartitionStarted); !slices.Equal(started, []int{0, 1, 1, 1, 2}) {
		t.Errorf("the attempts are at %v, want 0, three times 1, and 2", started)
	}
	if failed := e.partitions(PartitionFailed); !slices.Equal(failed, []int{1, 1}) {
		t.Errorf("the failures are at %v, want two at 1", failed)
	}
	for _, event := range e.list {
		if event.Type == PartitionFailed && event.Message != "frame 12: Chromium was killed" {
			t.Errorf("the message is %q", event.Message)
		}
	}
	for i, chunk := range chunks(t, j) {
		if !bytes.Equal(chunk, want[i]) {
			t.Errorf("chunk %d is %s, want %s", i, chunk, want[i])
		}
	}
	checkClean(t, j)
}

func TestRetriesAreLimited(t *testing.T) {
	f := &fakes{fail: func(int, int) error { return fault.Transientf("Chromium was killed") }}
	j, e := fakeJob(t, f)
	j.Retries = 2
	err := j.Run(t.Context())
	want := "partition 0 (frames 0 to 7): after 3 attempts: Chromium was killed"
	if fault.Of(err) != fault.Transient || err.Error() != want {
		t.Errorf("Run() = %v, want %s", err, want)
	}
	if failed := e.partitions(PartitionFailed); !slices.Equal(failed, []int{0, 0}) || f.launched != 3 {
		t.Errorf("%d browsers were launched, and the retries are at %v, want 3 and two at 0", f.launched, failed)
	}
	checkClean(t, j)
}

func TestPermanentErrorIsNotRetried(t *testing.T) {
	for _, permanent := range []error{fault.Userf("the page threw an error"), errors.New("a bug")} {
		f := &fakes{fail: func(partition, _ int) error {
			if partition == 1 {
				return permanent
			}
			return nil
		}}
		j, e := fakeJob(t, f)
		j.Retries = 2
		err := j.Run(t.Context())
		if !errors.Is(err, permanent) || fault.Of(err) != fault.Of(permanent) {
			t.Errorf("Run() = %v, want %v", err, permanent)
		}
		if f.attempts[1] != 1 || len(e.partitions(PartitionFailed)) > 0 || f.attempts[2] > 0 {
			t.Errorf("%v: the attempts are %v, want one at 1 and none at 2", permanent, f.attempts)
		}
		if f.released > 0 {
			t.Errorf("%v: the browser went back to the pool", permanent)
		}
		checkClean(t, j)
	}
}

func TestResumeKeepsFinishedChunks(t *testing.T) {
	killed := true
	f := &fakes{fail: func(partition, _ int) error {
		if partition == 2 && killed {
			return fault.Transientf("Chromium was killed")
		}
		return nil
	}}
	j, _ := fakeJob(t, f)
	j.Resume = true
	if err := j.Run(t.Context()); fault.Of(err) != fault.Transient {
		t.Fatalf("Run() = %v, want a transient error", err)
	}
	if _, err := os.Stat(j.Chunks.Path(j.Spec.Partitions[2].OutputFile)); err == nil {
		t.Error("the failed partition has a chunk")
	}

	run := func(wantKept, wantStarted []int) {
		t.Helper()
		var e events
		j.Report = e.add
		if err := j.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if kept := e.partitions(PartitionKept); !slices.Equal(kept, wantKept) {
			t.Errorf("the partitions %v were kept, want %v", kept, wantKept)
		}
		if started := e.partitions(PartitionStarted); !slices.Equal(started, wantStarted) {
			t.Errorf("the partitions %v were rendered, want %v", started, wantStarted)
		}
	}
	killed = false
	run([]int{0, 1}, []int{2})
	launched := f.launched
	run([]int{0, 1, 2}, nil)
	if f.launched != launched {
		t.Error("a job without work started a browser")
	}
	// A chunk that other versions made is rendered again, and so is one with another number of frames.
	j.tools.FFmpeg = "6.0"
	run(nil, []int{0, 1, 2})
	j.Spec.Partitions[2].FrameCount--
	run([]int{0, 1}, []int{2})
	j.Resume = false
	run(nil, []int{0, 1, 2})
	checkClean(t, j)
}

// A chunk with the wrong number of frames is an error, although the encoder reported none.
func TestChunkIsVerified(t *testing.T) {
	f := &fakes{}
	j, _ := fakeJob(t, f)
	startEncoder := j.backend.startEncoder
	j.backend.startEncoder = func(ctx context.Context, comment, out string) (encoder, error) {
		e, err := startEncoder(ctx, comment, out)
		e.(*fakeEncoder).info.Frames = 1
		return e, err
	}
	want := "partition 0 (frames 0 to 7): verifying the chunk: it has 9 frames, want 8"
	if err := j.Run(t.Context()); err == nil || err.Error() != want {
		t.Errorf("Run() = %v, want %s", err, want)
	}
}
