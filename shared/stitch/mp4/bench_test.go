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

// BenchmarkWrite joins 16 chunks of 32 MiB from files to a file and compares that with cp of the same bytes. cp-ratio
// is the time of cp divided by that of Write.
func BenchmarkWrite(b *testing.B) {
	dir := b.TempDir()
	const chunkBytes = 32 << 20
	list := names(16)
	for _, name := range list {
		save(b, join(dir, name), randomChunk(b, dir, chunkBytes))
	}
	write(b, dir, "whole.mp4", list, stitch.Options{})
	var joining, copying time.Duration
	measure := func(total *time.Duration, output string, do func()) {
		// Without sync, earlier writes slow down the measured one.
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
			func() { measure(&joining, "out.mp4", func() { writeTo(b, dir, "out.mp4", list) }) },
		}
		steps[i%2]()
		steps[1-i%2]()
	}
	b.ReportMetric(copying.Seconds()/joining.Seconds(), "cp-ratio")
	b.ReportMetric(float64(b.N)*float64(len(list)*chunkBytes)/1e6/joining.Seconds(), "joined-MB/s")
}

// BenchmarkWriteBuffered joins the same chunks without copy_file_range: the output is not a file.
func BenchmarkWriteBuffered(b *testing.B) {
	dir := b.TempDir()
	const chunkBytes = 32 << 20
	list := names(16)
	for _, name := range list {
		save(b, join(dir, name), randomChunk(b, dir, chunkBytes))
	}
	b.SetBytes(int64(len(list)) * chunkBytes)
	for b.Loop() {
		if _, err := mp4.Write(b.Context(), io.Discard, store.Dir(dir), chunks(list...), stitch.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func writeTo(b *testing.B, dir, output string, list []string) {
	b.Helper()
	f, err := os.Create(join(dir, output))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := mp4.Write(b.Context(), f, store.Dir(dir), chunks(list...), stitch.Options{}); err != nil {
		b.Fatal(err)
	}
}
