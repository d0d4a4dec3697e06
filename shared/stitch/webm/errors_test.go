package webm_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/stitch/webm"
)

// Write reports a chunk that cannot be used, and the reason.
func TestChunkErrors(t *testing.T) {
	dir, frames := t.TempDir(), testFrames(t, 6, opaque)
	encode := func(name string, set func(*job.Config)) {
		c := config()
		c.Preset = "8"
		set(&c)
		chunk(t, c, dir, name, frames)
	}
	encode("good.webm", func(c *job.Config) {})
	encode("rate.webm", func(c *job.Config) { c.FPS = job.Rate{Num: 25, Den: 1} })
	encode("depth.webm", func(c *job.Config) { c.BitDepth = 10 })
	encode("alpha.webm", func(c *job.Config) { c.Transparent = true })
	encode("av1.webm", func(c *job.Config) { c.VideoCodec, c.Preset = "libsvtav1", "10" })
	c := config()
	small := t.TempDir()
	run(t, "ffmpeg", "-f", "lavfi", "-i", "testsrc2=size=32x32:rate=30", "-frames:v", "1",
		filepath.Join(small, "a.png"))
	png, err := os.ReadFile(filepath.Join(small, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	chunk(t, c, dir, "size.webm", [][]byte{png})

	good, err := os.ReadFile(filepath.Join(dir, "good.webm"))
	if err != nil {
		t.Fatal(err)
	}
	save := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	save("copy.webm", good)
	save("cut.webm", good[:len(good)-100])
	save("empty.webm", nil)
	save("text.webm", []byte("this is no video"))
	// A killed ffmpeg leaves the size of the segment unknown, because it writes the size last.
	at := bytes.Index(good, []byte{0x18, 0x53, 0x80, 0x67}) + 4
	unfinished := bytes.Clone(good)
	copy(unfinished[at:], "\x01\xff\xff\xff\xff\xff\xff\xff")
	save("unfinished.webm", unfinished)
	// The first frame is a SimpleBlock of track 1 at time 0 with the flag of a key frame.
	late := bytes.Clone(good)
	block := bytes.Index(late, []byte{0x81, 0, 0, 0x80})
	late[block+3] = 0
	save("late.webm", late)

	for _, test := range []struct {
		name string
		kind stitch.Kind
		want string
	}{
		{"rate.webm", stitch.Mismatch, "rate.webm has 25 frames per second, but good.webm has 30"},
		{"depth.webm", stitch.Mismatch, "depth.webm has different codec settings from good.webm"},
		{"alpha.webm", stitch.Mismatch, "alpha.webm is transparent, but good.webm is not"},
		{"av1.webm", stitch.Mismatch, "av1.webm is V_AV1, but good.webm is V_VP9"},
		{"size.webm", stitch.Mismatch, "size.webm is 32x32, but good.webm is 64x64"},
		{"good.webm", stitch.Duplicate, "good.webm is listed twice"},
		{"gone.webm", stitch.Missing, "gone.webm is missing"},
		{
			"cut.webm", stitch.Damaged,
			"cut.webm is truncated: its element 0x18538067 is 100 bytes longer than the element or file around it",
		},
		{"unfinished.webm", stitch.Damaged, "unfinished.webm was not finished: its element 0x18538067 at byte "},
		{"empty.webm", stitch.NotVideo, "empty.webm is empty"},
		{"text.webm", stitch.NotVideo, `text.webm is not a WebM file: it starts with "this is no video"`},
		{"late.webm", stitch.Unsupported, "late.webm does not start with a key frame; encode it with closed GOPs"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := try(t, dir, []stitch.Chunk{{Name: "good.webm"}, {Name: test.name}}, webm.Options{})
			e := new(stitch.ChunkError)
			if !errors.As(err, &e) || e.Kind != test.kind || e.Name != test.name ||
				!strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("the error is %v of kind %v, want %s", err, e.Kind, test.want)
			}
		})
	}
	t.Run("number of frames", func(t *testing.T) {
		list := []stitch.Chunk{{Name: "good.webm", Frames: 6}, {Name: "copy.webm", Frames: 7}}
		err := try(t, dir, list, webm.Options{})
		if err == nil || err.Error() != "copy.webm has 6 frames, want 7" {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("required frame rate", func(t *testing.T) {
		err := try(t, dir, []stitch.Chunk{{Name: "good.webm"}}, webm.Options{FPS: job.Rate{Num: 24, Den: 1}})
		if err == nil || err.Error() != "good.webm has 30 frames per second, want 24" {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("Accept fails", func(t *testing.T) {
		rejected := errors.New("rejected")
		var seen []string
		list := []stitch.Chunk{{Name: "good.webm"}, {Name: "copy.webm"}}
		err := try(t, dir, list, accept(func(c stitch.Chunk, i stitch.Info) error {
			seen = append(seen, c.Name+": "+i.Comment)
			if len(seen) == 2 {
				return rejected
			}
			return nil
		}))
		if err != rejected || strings.Join(seen, ", ") != "good.webm: chunk good.webm, copy.webm: chunk good.webm" {
			t.Errorf("the error is %v after %q", err, seen)
		}
	})
}

// No damaged file causes a crash or an endless loop.
func TestDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	c := config()
	c.Transparent = true
	chunk(t, c, dir, "good.webm", testFrames(t, 6, translucent))
	good, err := os.ReadFile(filepath.Join(dir, "good.webm"))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "damaged.webm")
	for i := range min(len(good), 800) {
		for _, v := range []byte{0, 0xff, good[i] ^ 0x10} {
			b := bytes.Clone(good)
			b[i] = v
			if err := os.WriteFile(name, b, 0o666); err != nil {
				t.Fatal(err)
			}
			err := try(t, dir, []stitch.Chunk{{Name: "damaged.webm"}}, webm.Options{})
			e := new(stitch.ChunkError)
			if err != nil && !errors.As(err, &e) && !strings.HasPrefix(err.Error(), "the audio") {
				t.Fatalf("with byte %d set to %x: %v", i, v, err)
			}
		}
	}
	for i := 0; i < len(good); i += 13 {
		if err := os.WriteFile(name, good[:i], 0o666); err != nil {
			t.Fatal(err)
		}
		if err := try(t, dir, []stitch.Chunk{{Name: "damaged.webm"}}, webm.Options{}); err == nil {
			t.Fatalf("Write accepted the first %d of %d bytes", i, len(good))
		}
	}
}
