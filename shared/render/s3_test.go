package render

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/store"
	"helios/shared/store/s3test"
)

// bucket returns a store in a new bucket.
func bucket(t *testing.T) *store.S3 {
	t.Helper()
	server := s3test.Start(t)
	return store.NewS3(server.Client(), server.Bucket(t), "jobs/1")
}

// partition renders a partition of a job to a store and returns the events.
func partition(t *testing.T, s store.Store, j *Job, id int) (*events, error) {
	p := j.Spec.Partitions[id]
	config := j.Spec.Config
	config.StartFrame, config.FrameCount = p.StartFrame, p.FrameCount
	var seen events
	alone := Partition{
		Config: config, Composition: j.Composition, Retries: 2, Report: seen.add,
		ID: job.ChunkID{Job: j.Spec.JobID, Partition: id, Partitions: len(j.Spec.Partitions)},
	}
	return &seen, alone.ToStore(t.Context(), s, "chunks/"+p.OutputFile)
}

func TestJobInABucket(t *testing.T) {
	o := small(composition(t, counting))
	o.Concurrency = 3
	j := jobOf(t, o)
	want := read(t, run(t, j))

	s := bucket(t)
	var inputs []Input
	for _, p := range j.Spec.Partitions {
		seen, err := partition(t, s, j, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if done := seen.partitions(PartitionDone); len(done) != 1 {
			t.Errorf("partition %d: %d events of type %s, want 1", p.ID, len(done), PartitionDone)
		}
		if got := object(t, s, "chunks/"+p.OutputFile); !bytes.Equal(got, read(t, j.Chunks.Path(p.OutputFile))) {
			t.Errorf("chunk %d differs from the one on the disk", p.ID)
		}
		inputs = append(inputs, Input{Name: "chunks/" + p.OutputFile, Frames: p.FrameCount})
	}
	for range 2 { // the second output replaces the first
		if err := MergeTo(t.Context(), s, inputs, s, "out.mp4", MergeOptions{Overwrite: true}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(object(t, s, "out.mp4"), want) {
			t.Error("the output differs from the one on the disk")
		}
	}
	err := MergeTo(t.Context(), s, inputs, s, "out.mp4", MergeOptions{})
	if fault.Of(err) != fault.User || !strings.Contains(err.Error(), "out.mp4 exists") {
		t.Errorf("without Overwrite, MergeTo() = %v", err)
	}
	err = MergeTo(t.Context(), s, append(inputs, Input{Name: "chunks/none.mp4"}), s, "other.mp4", MergeOptions{})
	if fault.Of(err) != fault.User || !strings.Contains(err.Error(), "none.mp4") {
		t.Errorf("with a missing chunk, MergeTo() = %v", err)
	}
}

func TestPartitionToStoreIsIdempotent(t *testing.T) {
	o := small(composition(t, counting))
	o.Concurrency = 2
	j := jobOf(t, o)
	s := bucket(t)
	name := "chunks/" + j.Spec.Partitions[1].OutputFile

	// An object that is not the chunk is replaced.
	w, err := s.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "half a chunk")
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := partition(t, s, j, 1); err != nil {
		t.Fatal(err)
	}
	first := object(t, s, name)
	if len(first) < 100 {
		t.Fatalf("the chunk is %q", first)
	}
	seen, err := partition(t, s, j, 1)
	if err != nil || len(seen.partitions(PartitionKept)) != 1 || len(seen.partitions(FrameDone)) != 0 {
		t.Errorf("the second call reports %v, %v", seen.list, err)
	}

	// Of two concurrent calls, one writes the chunk, and both succeed.
	if err := s.Remove(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	for range 2 {
		g.Go(func() error {
			_, err := partition(t, s, j, 1)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(object(t, s, name), first) {
		t.Error("the chunk differs")
	}
}

// object returns the content of an object.
func object(t *testing.T, s store.Store, name string) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// These variables make the test program merge chunks of a bucket.
const (
	mergeBucket = "HELIOS_TEST_MERGE_BUCKET"
	mergeCount  = "HELIOS_TEST_MERGE_COUNT"
)

// Merging 120 MB takes no more memory than merging 24 MB.
func TestMemoryOfMerging(t *testing.T) {
	server := s3test.Start(t)
	name := server.Bucket(t)
	s := store.NewS3(server.Client(), name, "")
	// A few frames of noise make a large chunk.
	path := filepath.Join(t.TempDir(), "chunk.mp4")
	tool(t, "ffmpeg", "-v", "error", "-f", "rawvideo", "-s", "1280x720", "-pix_fmt", "yuv420p", "-r", "30",
		"-i", "/dev/urandom", "-frames:v", "8", "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", path)
	chunk := read(t, path)
	const most = 120
	for i := range most * 1e6 / len(chunk) {
		w, err := s.Create(t.Context(), chunkName(i))
		if err != nil {
			t.Fatal(err)
		}
		w.Write(chunk)
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	var before int64
	for _, megabytes := range []int{24, most} {
		count := megabytes * 1e6 / len(chunk)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(append(os.Environ(), server.Environ()...), mergeBucket+"="+name, mergeCount+"="+strconv.Itoa(count),
			"GOGC=20") // otherwise the amount of garbage varies
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		r, err := s.Open(t.Context(), "out.mp4")
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		if r.Size() < int64(count)*int64(len(chunk))*99/100 {
			t.Errorf("the output of %d chunks has only %d bytes", count, r.Size())
		}
		peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
		t.Logf("%d chunks of %d bytes: %d MB of memory", count, len(chunk), peak/1e6)
		// The race detector needs memory too.
		if before > 0 && peak > before+before/4 {
			t.Errorf("merging %d MB takes %d MB of memory, and %d MB before", megabytes, peak/1e6, before/1e6)
		}
		before = peak
	}
}

func chunkName(i int) string { return fmt.Sprintf("chunk-%d.mp4", i) }

// mergeBucketChunks merges the chunks that the variables specify.
func mergeBucketChunks() error {
	s, err := store.OpenS3(context.Background(), os.Getenv(mergeBucket), "")
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(os.Getenv(mergeCount))
	if err != nil {
		return err
	}
	inputs := make([]Input, count)
	for i := range inputs {
		inputs[i].Name = chunkName(i)
	}
	return MergeTo(context.Background(), s, inputs, s, "out.mp4", MergeOptions{Overwrite: true})
}
