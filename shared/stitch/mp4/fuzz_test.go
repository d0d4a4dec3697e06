package mp4_test

import (
	"errors"
	"io"
	"os"
	"runtime"
	"testing"

	"helios/shared/stitch"
	"helios/shared/stitch/mp4"
)

// For any content, Probe returns an Info or a ChunkError, and takes little memory. Write accepts a file that Probe
// accepts.
func FuzzProbe(f *testing.F) {
	dir := f.TempDir()
	for name, s := range map[string]source{
		"a.mp4": {frames: 7, size: "32x32", args: with(bt709, "-metadata", "comment=c")},
		"b.mp4": {frames: 3, size: "32x32", args: []string{"-movflags", "+faststart"}},
		"c.mov": {frames: 3, size: "32x32", args: []string{"-metadata", "comment=c"}},
		"d.mp4": {frames: 3, size: "64x64", codec: "libx265"},
	} {
		s.encode(f, join(dir, name))
		data, err := os.ReadFile(join(dir, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom\x00\x00\x00\x01moov\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom\xff\xff\xff\xffmoov"))
	f.Fuzz(func(t *testing.T, data []byte) {
		v := &virtualStore{find: func(string) (*pieces, error) { return &pieces{start: data}, nil }}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		info, err := mp4.Probe(t.Context(), v, "x.mp4")
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<20+200*uint64(len(data)) {
			t.Errorf("Probe allocated %d bytes for a file of %d", allocated, len(data))
		}
		if err != nil {
			var chunk *stitch.ChunkError
			if !errors.As(err, &chunk) || chunk.Name != "x.mp4" {
				t.Errorf("Probe = %v, want a ChunkError", err)
			}
			return
		}
		list := []stitch.Chunk{{Name: "x.mp4", Frames: info.Frames}, {Name: "y.mp4"}}
		out, err := mp4.Write(t.Context(), io.Discard, v, list, stitch.Options{})
		if err != nil || out.Frames != 2*info.Frames {
			t.Errorf("Write = %+v, %v, although Probe = %+v", out, err, info)
		}
	})
}
