package mp4_test

import (
	"io"
	"os"
	"testing"
	"time"

	"helios/shared/stitch"
	"helios/shared/stitch/mp4"
	"helios/shared/store"
)

// BenchmarkWrite stitches 16 chunks of 32 MB, file to file, and compares that with cp of the same bytes:
// cp-ratio is cp's time divided by that of Write.
func BenchmarkWrite(b *testing.B) {
	dir := b.TempDir()
	const chunkBytes = 32 << 20
	list := names(16)
	for _, name := range list {
		save(b, join(dir, name), bigChunk(b, dir, chunkBytes))
	}
	write(b, dir, "whole.mp4", list, stitch.Options{})
	var stitching, copying time.Duration
	measure := func(total *time.Duration, output string, do func()) {
		// What was written before must not slow down what is measured.
		run(b, "sync", "-f", dir)
		start := time.Now()
		do()
		*total += time.Since(start)
		os.Remove(join(dir, output))
	}
	for i := 0; b.Loop(); i++ {
		steps := []func(){
			func() {
				measure(&copying, "copy.mp4", func() { run(b, "cp", join(dir, "whole.mp4"), join(dir, "copy.mp4")) })
			},
			func() { measure(&stitching, "out.mp4", func() { stitchTo(b, dir, "out.mp4", list) }) },
		}
		steps[i%2]()
		steps[1-i%2]()
	}
	b.ReportMetric(copying.Seconds()/stitching.Seconds(), "cp-ratio")
	b.ReportMetric(float64(b.N)*float64(len(list)*chunkBytes)/1e6/stitching.Seconds(), "stitched-MB/s")
}

// BenchmarkWriteBuffered writes to what is no file.
func BenchmarkWriteBuffered(b *testing.B) {
	dir := b.TempDir()
	const chunkBytes = 32 << 20
	var chunks []stitch.Chunk
	for _, name := range names(16) {
		save(b, join(dir, name), bigChunk(b, dir, chunkBytes))
		chunks = append(chunks, stitch.Chunk{Name: name})
	}
	b.SetBytes(int64(len(chunks)) * chunkBytes)
	for b.Loop() {
		if _, err := mp4.Write(b.Context(), io.Discard, store.Dir(dir), chunks, stitch.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func stitchTo(b *testing.B, dir, output string, list []string) {
	b.Helper()
	f, err := os.Create(join(dir, output))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var chunks []stitch.Chunk
	for _, name := range list {
		chunks = append(chunks, stitch.Chunk{Name: name})
	}
	if _, err := mp4.Write(b.Context(), f, store.Dir(dir), chunks, stitch.Options{}); err != nil {
		b.Fatal(err)
	}
}
