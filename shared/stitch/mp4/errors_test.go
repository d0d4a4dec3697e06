package mp4_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"

	mp4ff "github.com/Eyevinn/mp4ff/mp4"

	"helios/shared/stitch"
	"helios/shared/stitch/mp4"
	"helios/shared/store"
)

// Write reports a chunk that cannot be used, and the reason, before it writes anything. The first chunk is a.mp4, which
// is valid and has 30 frames; the second one is b.mp4.
func TestChunkErrors(t *testing.T) {
	valid := t.TempDir()
	source{args: bt709}.encode(t, join(valid, "a.mp4"))
	source{start: 30, args: bt709}.encode(t, join(valid, "b.mp4"))
	source{start: 30, args: with(bt709, "-movflags", "+faststart")}.encode(t, join(valid, "faststart.mp4"))
	encoder := moovOf(t, join(valid, "a.mp4")).Trak.Mdia.Minf.Stbl.Stsd.AvcX.CompressorName
	read := func(t *testing.T, name string) []byte {
		data, err := os.ReadFile(join(valid, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}

	encoded := func(s source) func(*testing.T, string) {
		return func(t *testing.T, path string) { s.encode(t, path) }
	}
	changed := func(change func(*mp4ff.MoovBox)) func(*testing.T, string) {
		return func(t *testing.T, path string) { save(t, path, rewrite(t, join(valid, "b.mp4"), change)) }
	}
	content := func(data string) func(*testing.T, string) {
		return func(t *testing.T, path string) { save(t, path, []byte(data)) }
	}
	stbl := func(moov *mp4ff.MoovBox) *mp4ff.StblBox { return moov.Trak.Mdia.Minf.Stbl }

	tests := map[string]struct {
		create func(t *testing.T, path string)
		frames int64
		kind   stitch.Kind
		want   string // Detail of the error for b.mp4; "" for any
	}{
		"missing": {
			create: func(*testing.T, string) {},
			kind:   stitch.Missing, want: "is missing",
		},
		"empty": {
			create: content(""),
			kind:   stitch.NotVideo, want: "is empty",
		},
		"text": {
			create: content("<!DOCTYPE html><title>404</title>"),
			kind:   stitch.NotVideo, want: `is not an MP4 or MOV file: it starts with "<!DOCTYPE html><"`,
		},
		"short text": {
			create: content("no"),
			kind:   stitch.NotVideo, want: `is not an MP4 or MOV file: it starts with "no"`,
		},
		"audio only": {
			create: func(t *testing.T, path string) {
				run(t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", path)
			},
			kind: stitch.NotVideo, want: "has no video track",
		},
		"video and audio": {
			create: func(t *testing.T, path string) {
				run(t, "ffmpeg", "-v", "error", "-i", join(valid, "b.mp4"), "-f", "lavfi", "-i", "sine=duration=1",
					"-c:v", "copy", "-c:a", "aac", path)
			},
			kind: stitch.Unsupported, want: "has 2 tracks, want one video track only",
		},
		"fragmented": {
			create: encoded(source{args: []string{"-movflags", "+frag_keyframe+empty_moov"}}),
			kind:   stitch.Unsupported, want: "is a fragmented MP4; write it without -movflags frag_keyframe or empty_moov",
		},
		"truncated in the samples": {
			create: func(t *testing.T, path string) {
				data := read(t, "faststart.mp4")
				save(t, path, data[:len(data)-1204])
			},
			kind: stitch.Damaged, want: "is truncated: its mdat box is 1204 bytes longer than the file",
		},
		"truncated before the tables": {
			create: func(t *testing.T, path string) {
				data := read(t, "b.mp4")
				save(t, path, data[:bytes.LastIndex(data, []byte("moov"))-4])
			},
			kind: stitch.Damaged, want: "is truncated: it has no moov box, which muxers write last",
		},
		"truncated in the tables": {
			create: func(t *testing.T, path string) {
				data := read(t, "b.mp4")
				save(t, path, data[:len(data)-7])
			},
			kind: stitch.Damaged, want: "is truncated: its moov box is 7 bytes longer than the file",
		},
		"muxer did not finish": {
			create: func(t *testing.T, path string) {
				data := read(t, "b.mp4")
				at := bytes.Index(data, []byte("mdat"))
				copy(data[at-4:], []byte{0, 0, 0, 0})
				save(t, path, data[:at+1000])
			},
			kind: stitch.Damaged, want: "is truncated: it has no moov box, which muxers write last",
		},
		"too few frames": {
			create: encoded(source{frames: 29, args: bt709}), frames: 30,
			kind: stitch.FrameCount, want: "has 29 frames, want 30",
		},
		"different codec": {
			create: encoded(source{codec: "libx265"}),
			kind:   stitch.Mismatch, want: "is hev1, but a.mp4 is avc1",
		},
		"different size": {
			create: encoded(source{size: "320x180"}),
			kind:   stitch.Mismatch, want: "is 320x180, but a.mp4 is 192x108",
		},
		"different frame rate": {
			create: encoded(source{rate: "25", timescale: "12800"}),
			kind:   stitch.Mismatch, want: "has 25 frames per second, but a.mp4 has 30",
		},
		"slightly different frame rate": {
			create: encoded(source{rate: "30000/1001", timescale: "30000"}),
			kind:   stitch.Mismatch, want: "has 30000/1001 frames per second, but a.mp4 has 30",
		},
		"different timescale": {
			create: encoded(source{timescale: "30000", args: bt709}),
			kind:   stitch.Mismatch,
			want:   "has timescale 30000, but a.mp4 has 15360; encode both with the same -video_track_timescale",
		},
		"different profile": {
			create: encoded(source{args: with(bt709, "-profile:v", "main")}),
			kind:   stitch.Mismatch, want: "has different H.264 settings from a.mp4 (profile Main, not High)",
		},
		"different level": {
			create: encoded(source{args: with(bt709, "-level", "4.2")}),
			kind:   stitch.Mismatch, want: "has different H.264 settings from a.mp4 (level 4.2, not 1.1)",
		},
		"different picture timing": {
			create: encoded(source{args: with(bt709, "-x264-params", "pic-struct=1")}),
			kind:   stitch.Mismatch, want: "has different H.264 settings from a.mp4 (sequence parameter set)",
		},
		"different quantiser": {
			create: encoded(source{args: with(bt709, "-x264-params", "qp=20")}),
			kind:   stitch.Mismatch, want: "has different H.264 settings from a.mp4 (picture parameter set)",
		},
		"different pixel aspect ratio": {
			create: changed(func(moov *mp4ff.MoovBox) { stbl(moov).Stsd.AvcX.Pasp.HSpacing = 4 }),
			kind:   stitch.Mismatch, want: "has a different pixel aspect ratio from a.mp4 (4:1, not 1:1)",
		},
		"different colours": {
			create: changed(func(moov *mp4ff.MoovBox) {
				for _, c := range stbl(moov).Stsd.AvcX.Children {
					if colr, ok := c.(*mp4ff.ColrBox); ok {
						colr.ColorPrimaries = 9
					}
				}
			}),
			kind: stitch.Mismatch, want: "has different colours from a.mp4 (nclx 9/1/1 limited, not nclx 1/1/1 limited)",
		},
		"full range": {
			create: encoded(source{args: with(bt709, "-color_range", "pc")}),
			kind:   stitch.Mismatch, want: "has different colours from a.mp4 (nclx 1/1/1 full, not nclx 1/1/1 limited)",
		},
		"no colr box": {
			create: changed(func(moov *mp4ff.MoovBox) {
				entry := stbl(moov).Stsd.AvcX
				entry.Children = slices.DeleteFunc(entry.Children, func(b mp4ff.Box) bool { return b.Type() == "colr" })
			}),
			kind: stitch.Mismatch, want: "has no colr box, but a.mp4 has one",
		},
		"different encoder": {
			create: changed(func(moov *mp4ff.MoovBox) { stbl(moov).Stsd.AvcX.CompressorName = "Lavc61.3.100 libx264" }),
			kind:   stitch.Mismatch, want: fmt.Sprintf("was encoded by %q, but a.mp4 by %q", "Lavc61.3.100 libx264", encoder),
		},
		"rotated": {
			create: changed(func(moov *mp4ff.MoovBox) {
				moov.Trak.Tkhd.Matrix = [9]int32{0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30}
			}),
			kind: stitch.Mismatch, want: "is rotated or mirrored differently from a.mp4",
		},
		"dropped frame": {
			create: encoded(source{args: with(bt709,
				"-vf", "format=yuv420p,trim=end_frame=30,select='not(eq(n,7))'", "-vsync", "vfr")}),
			kind: stitch.Unsupported, want: "has frames of different durations: frame 6 lasts 1024 ticks, frame 0 lasts 512",
		},
		"timescale that is not a multiple of the rate": {
			create: encoded(source{rate: "25"}),
			kind:   stitch.Unsupported,
			want:   "has frames of 614 and of 615 ticks; set -video_track_timescale to a multiple of its frame rate",
		},
		"longer last frame": {
			create: changed(func(moov *mp4ff.MoovBox) {
				s := stbl(moov).Stts
				s.SampleCount, s.SampleTimeDelta = []uint32{29, 1}, []uint32{512, 600}
			}),
			kind: stitch.Unsupported,
			want: "has frames of different durations: it lasts 15448 ticks, but 30 frames of 512 last 15360",
		},
		"no sync sample at the start": {
			create: changed(func(moov *mp4ff.MoovBox) { stbl(moov).Stss.SampleNumber = []uint32{13, 25} }),
			kind:   stitch.Unsupported, want: "does not start with a sync sample; encode it with closed GOPs",
		},
		"leading pictures": {
			create: changed(func(moov *mp4ff.MoovBox) {
				o := stbl(moov).Ctts.SampleOffset
				o[0], o[1] = o[1]+512, o[0]-512
			}),
			kind: stitch.Unsupported, want: "does not start with the frame that is displayed first; encode it with closed GOPs",
		},
		"edit list with a pause at the start": {
			create: changed(func(moov *mp4ff.MoovBox) {
				e := moov.Trak.Edts.Elst[0]
				e.Entries = append([]mp4ff.ElstEntry{{SegmentDuration: 500, MediaTime: -1, MediaRateInteger: 1}}, e.Entries...)
			}),
			kind: stitch.Unsupported, want: "has an edit list of 2 entries, want 1",
		},
		"edit list without the first frame": {
			create: changed(func(moov *mp4ff.MoovBox) { moov.Trak.Edts.Elst[0].Entries[0].MediaTime += 512 }),
			kind:   stitch.Unsupported,
			want:   "has an edit list that starts at tick 1536, but its first frame is displayed at tick 1024",
		},
		"edit list without the last frames": {
			create: changed(func(moov *mp4ff.MoovBox) { moov.Trak.Edts.Elst[0].Entries[0].SegmentDuration = 799 }),
			kind:   stitch.Unsupported, want: "has an edit list that ends 0.200 s before its frames do",
		},
		"edit list in slow motion": {
			create: changed(func(moov *mp4ff.MoovBox) { moov.Trak.Edts.Elst[0].Entries[0].MediaRateFraction = 1 }),
			kind:   stitch.Unsupported, want: "has an edit list that changes the playback speed",
		},
		"two sample entries": {
			create: func(t *testing.T, path string) {
				data := read(t, "b.mp4")
				data[bytes.LastIndex(data, []byte("stsd"))+11] = 2
				save(t, path, data)
			},
			kind: stitch.Unsupported, want: "has 2 sample entries, want 1",
		},
		"samples outside the file": {
			create: changed(func(moov *mp4ff.MoovBox) { stbl(moov).Stco.ChunkOffset[0] += 1 << 20 }),
			kind:   stitch.Damaged,
		},
		"overlapping samples": {
			create: changed(func(moov *mp4ff.MoovBox) {
				s := stbl(moov)
				s.Stsz.SampleSize[0] *= 100
			}),
			kind: stitch.Damaged,
		},
		"empty sample": {
			create: changed(func(moov *mp4ff.MoovBox) { stbl(moov).Stsz.SampleSize[4] = 0 }),
			kind:   stitch.Damaged, want: "has a size of 0 for sample 5",
		},
		"sizes for too few samples": {
			create: changed(func(moov *mp4ff.MoovBox) {
				s := stbl(moov).Stsz
				s.SampleSize = s.SampleSize[:29]
				s.SampleNumber = 29
			}),
			kind: stitch.Damaged, want: "has times for more than its 29 samples",
		},
		"no frames": {
			create: changed(func(moov *mp4ff.MoovBox) {
				s := stbl(moov).Stsz
				s.SampleSize, s.SampleNumber = nil, 0
			}),
			kind: stitch.Damaged, want: "has no frames",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			save(t, join(dir, "a.mp4"), read(t, "a.mp4"))
			tt.create(t, join(dir, "b.mp4"))
			list := []stitch.Chunk{{Name: "a.mp4", Frames: 30}, {Name: "b.mp4", Frames: tt.frames}}
			wantChunkError(t, dir, list, tt.kind, tt.want)

			// Probe finds the errors that do not depend on other chunks.
			_, err := mp4.Probe(t.Context(), store.Dir(dir), "b.mp4")
			var chunk *stitch.ChunkError
			switch tt.kind {
			case stitch.Mismatch, stitch.FrameCount:
				if err != nil {
					t.Errorf("Probe = %v", err)
				}
			default:
				if !errors.As(err, &chunk) || chunk.Kind != tt.kind {
					t.Errorf("Probe = %v, want a ChunkError of kind %d", err, tt.kind)
				}
			}
		})
	}
}

// wantChunkError checks that Write returns a ChunkError for the last chunk and writes nothing.
func wantChunkError(t *testing.T, dir string, chunks []stitch.Chunk, kind stitch.Kind, want string) {
	t.Helper()
	var out bytes.Buffer
	_, err := mp4.Write(t.Context(), &out, store.Dir(dir), chunks, stitch.Options{})
	var chunk *stitch.ChunkError
	if !errors.As(err, &chunk) {
		t.Fatalf("Write = %v, want a ChunkError", err)
	}
	name := chunks[len(chunks)-1].Name
	if chunk.Kind != kind || chunk.Name != name || want != "" && err.Error() != name+" "+want {
		t.Errorf("Write = %q of kind %d; want kind %d, %q", err, chunk.Kind, kind, want)
	}
	if errors.Is(err, fs.ErrNotExist) != (kind == stitch.Missing) {
		t.Errorf("%v: errors.Is(err, fs.ErrNotExist) = %v", err, errors.Is(err, fs.ErrNotExist))
	}
	if out.Len() > 0 {
		t.Errorf("Write wrote %d bytes before the error", out.Len())
	}
}

func TestDuplicateChunks(t *testing.T) {
	dir := t.TempDir()
	source{}.encode(t, join(dir, "a.mp4"))
	for _, link := range []struct {
		name string
		link func(from, to string) error
	}{{"hard.mp4", os.Link}, {"soft.mp4", os.Symlink}} {
		if err := link.link(join(dir, "a.mp4"), join(dir, link.name)); err != nil {
			t.Fatal(err)
		}
		wantChunkError(t, dir, chunks("a.mp4", link.name), stitch.Duplicate, "is the same file as a.mp4")
	}
	for _, again := range []string{"a.mp4", "./a.mp4"} {
		wantChunkError(t, dir, chunks("a.mp4", again), stitch.Duplicate, "is listed twice")
	}

	// Different chunks can have the same content.
	data, _ := os.ReadFile(join(dir, "a.mp4"))
	save(t, join(dir, "b.mp4"), data)
	if info := write(t, dir, "out.mp4", names(2), stitch.Options{}); info.Frames != 60 {
		t.Errorf("two chunks of equal content have %d frames, want 60", info.Frames)
	}
}

func TestDifferentHEVCSettings(t *testing.T) {
	dir := t.TempDir()
	source{codec: "libx265"}.encode(t, join(dir, "a.mp4"))
	for i, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-pix_fmt", "yuv420p10le", "-vf", "trim=end_frame=30"}, "profile Main 10, not Main"},
		{[]string{"-x265-params", "log-level=error:level-idc=4.1"}, "level 4.1, not 2"},
		{[]string{"-x265-params", "log-level=error:ctu=32"}, "sequence parameter set"},
	} {
		name := fmt.Sprintf("b%d.mp4", i)
		source{codec: "libx265", args: tt.args}.encode(t, join(dir, name))
		wantChunkError(t, dir, chunks("a.mp4", name), stitch.Mismatch,
			fmt.Sprintf("has different H.265 settings from a.mp4 (%s)", tt.want))
	}
}
