package render

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"helios/shared/job"
)

// A resumed job keeps only complete chunks that are exactly those it would render.
func TestResumeReplacesInvalidChunks(t *testing.T) {
	o := threeChunks(t)
	j := jobOf(t, o)
	j.Resume = true
	want := read(t, run(t, j))
	spec := j.Spec
	chunk := func(id int) string { return j.Chunks.Path(spec.Partitions[id].OutputFile) }

	other := o
	other.Seed = 1
	foreign := jobOf(t, other)
	run(t, foreign)
	if foreign.Spec.JobID == spec.JobID {
		t.Fatal("two jobs have the same id")
	}
	whole := read(t, chunk(1))
	version := bytes.Index(whole, []byte(`"ffmpeg":"`))
	if version < 0 {
		t.Fatal("the chunk does not contain the version of ffmpeg")
	}
	otherVersion := bytes.Clone(whole)
	otherVersion[version+len(`"ffmpeg":"`)]++

	for name, data := range map[string][]byte{
		"empty":                         {},
		"half a chunk":                  whole[:len(whole)/2],
		"a chunk without its last byte": whole[:len(whole)-1],
		"text":                          []byte("not a video\n"),
		"another partition":             read(t, chunk(2)),
		"a chunk of another job":        read(t, foreign.Chunks.Path(spec.Partitions[1].OutputFile)),
		"a chunk of another ffmpeg":     otherVersion,
		"the output of the same job":    want,
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(chunk(1), data, 0o666); err != nil {
				t.Fatal(err)
			}
			var e events
			j.Report, j.Overwrite = e.add, true
			if got := read(t, run(t, j)); !bytes.Equal(got, want) {
				t.Error("the output changed")
			}
			if kept := e.partitions(PartitionKept); !slices.Equal(slices.Sorted(slices.Values(kept)), []int{0, 2}) {
				t.Errorf("the job kept the partitions %v, want 0 and 2", kept)
			}
			if !bytes.Equal(read(t, chunk(1)), whole) {
				t.Error("the chunk changed")
			}
		})
	}
}

func TestResumeChecksTheNumberOfFrames(t *testing.T) {
	// The provenance contains the old number of frames. All else is equal.
	j := jobOf(t, threeChunks(t))
	run(t, j)
	j.Resume, j.Merge = true, false
	j.Spec.Partitions[2].FrameCount--
	var e events
	j.Report = e.add
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept := e.partitions(PartitionKept); slices.Contains(kept, 2) || len(kept) != 2 {
		t.Errorf("the job kept the partitions %v, want 0 and 1", kept)
	}
}

func TestEvents(t *testing.T) {
	o := small(composition(t, counting))
	o.FrameCount, o.Concurrency = 7, 2
	j := jobOf(t, o)
	j.Workers = 1
	var lines []string
	last := -1.0
	j.Report = func(e Event) {
		fields := []string{string(e.Type), digits(e.Partition), digits(int(e.Frames)), digits(int(e.Total)), e.Message}
		lines = append(lines, strings.TrimSpace(strings.Join(fields, " ")))
		if e.Job != j.Spec.JobID || e.Elapsed < last {
			t.Errorf("the event is %+v after %g s", e, last)
		}
		last = e.Elapsed
	}
	run(t, j)
	want := `job-planned - 0 7
partition-started 0 0 4
frame-done 0 1 4
frame-done 0 2 4
frame-done 0 3 4
frame-done 0 4 4
partition-done 0 4 4
partition-started 1 0 3
frame-done 1 1 3
frame-done 1 2 3
frame-done 1 3 3
partition-done 1 3 3
merge-started - 0 0
output-done - 7 7`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("the events are\n%s\nwant\n%s", got, want)
	}
}

func digits(n int) string {
	if n < 0 {
		return "-"
	}
	return string(rune('0' + n))
}

func TestPartitionToFile(t *testing.T) {
	j := jobOf(t, threeChunks(t))
	run(t, j)
	p := j.Spec.Partitions[1]
	config := j.Spec.Config
	config.StartFrame, config.FrameCount = p.StartFrame, p.FrameCount
	alone := t.TempDir() + "/sub/alone.mp4"
	partition := Partition{
		Config: config, Composition: j.Composition, ID: job.ChunkID{Job: j.Spec.JobID, Partition: 1, Partitions: 3},
	}
	if err := partition.ToFile(t.Context(), alone, false); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, alone), read(t, j.Chunks.Path(p.OutputFile))) {
		t.Error("the chunk differs from that of the job")
	}
}

func TestPartialFilesAreRemoved(t *testing.T) {
	o := small(composition(t, counting))
	j := jobOf(t, o)
	left := j.Chunks.Path(".out.0000.mp4.partial-123")
	if err := os.MkdirAll(j.Chunks.Path(""), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, []byte("half"), 0o666); err != nil {
		t.Fatal(err)
	}
	run(t, j)
	checkClean(t, j)
}
