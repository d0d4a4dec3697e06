package encode

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/tempfile"
)

// finished encodes frames in three chunks, joins and finishes them, and returns the output.
func finished(t *testing.T, c job.Config, list [][]byte) string {
	t.Helper()
	dir := t.TempDir()
	stitched, out := filepath.Join(dir, "stitched.mov"), filepath.Join(dir, "out")
	third := len(list) / 3
	join(t, c, list, stitched, third, third, len(list)-2*third)
	if err := Finish(t.Context(), c, stitched, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Half of what a picture shows is there, a quarter is half there, and a quarter is not.
const steps = "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='if(lt(Y,32),255,if(lt(X,32),128,0))'"

var ntsc = job.Rate{Num: 30000, Den: 1001}

func configured(codec string, set func(*job.Config)) job.Config {
	c := configOf(codec)
	c.FPS = ntsc
	set(&c)
	return c
}

func TestGIF(t *testing.T) {
	list := moving(t, t.TempDir(), 31, steps)
	for loop, want := range map[int]int{0: 0, 1: -1, 3: 2} {
		out := finished(t, configured("gif", func(c *job.Config) { c.Loop, c.Transparent = loop, true }), list)
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		// The extension counts how often it is repeated, 0 for ever; without it, it is shown once.
		repeats := -1
		if at := bytes.Index(data, []byte("NETSCAPE2.0")); at >= 0 {
			repeats = int(binary.LittleEndian.Uint16(data[at+13:]))
		}
		if repeats != want {
			t.Errorf("for %d plays it is repeated %d times, want %d", loop, repeats, want)
		}
		if loop != 0 {
			continue
		}
		// Delays are whole hundredths, and together as near to 31*1001/30000 s as they can be.
		delays, total := 0, 0
		for at := 0; ; {
			next := bytes.Index(data[at:], []byte{0x21, 0xf9, 0x04})
			if next < 0 {
				break
			}
			at += next + 4
			if d := int(binary.LittleEndian.Uint16(data[at:])); d < 3 || d > 4 {
				t.Errorf("frame %d lasts %d/100 s", delays, d)
			} else {
				total += d
			}
			delays++
		}
		if delays != 31 || total != 103 {
			t.Errorf("%d frames last %d/100 s, want 31 and 103", delays, total)
		}
		if n := len(sums(t, job.Config{}, out)); n != 31 {
			t.Errorf("ffmpeg decodes %d frames", n)
		}
		// Alpha is one bit.
		for n := range 31 {
			frame := tool(t, "ffmpeg", "-i", out, "-vf", fmt.Sprintf("select=eq(n\\,%d),format=rgba", n), "-frames:v", "1", "-f", "rawvideo", "-")
			at := func(x, y int) byte { return frame[(y*64+x)*4+3] }
			if at(10, 10) != 255 || at(10, 50) != 255 || at(50, 50) != 0 {
				t.Errorf("in frame %d the alpha is %d, %d, %d", n, at(10, 10), at(10, 50), at(50, 50))
			}
		}
	}
}

// The palette knows the colours of the last frame, too.
func TestPaletteOfTheWholeVideo(t *testing.T) {
	var list [][]byte
	want := []color.NRGBA{{0x12, 0x34, 0x56, 255}, {0xfe, 0x01, 0x80, 255}, {0x40, 0xc0, 0x20, 255}}
	for _, c := range want {
		list = append(list, solid(t, c))
	}
	out := finished(t, configured("gif", func(*job.Config) {}), list)
	frames := tool(t, "ffmpeg", "-i", out, "-vf", "format=rgba,crop=1:1:32:32", "-fps_mode", "passthrough", "-f", "rawvideo", "-")
	for n, c := range want {
		if got := (color.NRGBA{frames[4*n], frames[4*n+1], frames[4*n+2], frames[4*n+3]}); !near(got, c, 4) {
			t.Errorf("frame %d is %v, want %v", n, got, c)
		}
	}
}

// webpChunks returns the parts of an animated WebP.
func webpChunks(t *testing.T, file string) (loop int, frames [][]byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for b := data[12:]; len(b) >= 8; {
		size := int(binary.LittleEndian.Uint32(b[4:]))
		switch string(b[:4]) {
		case "ANIM":
			loop = int(binary.LittleEndian.Uint16(b[12:]))
		case "ANMF":
			frames = append(frames, b[8:8+size])
		}
		b = b[8+size+size%2:]
	}
	return loop, frames
}

func TestWebP(t *testing.T) {
	list := moving(t, t.TempDir(), 31, steps)
	sizes := map[int]int64{}
	for _, quality := range []int{10, 80, 100} {
		out := finished(t, configured("libwebp_anim", func(c *job.Config) { c.Quality, c.Loop, c.Transparent = &quality, 3, true }), list)
		info, err := os.Stat(out)
		if err != nil {
			t.Fatal(err)
		}
		sizes[quality] = info.Size()
		loop, frames := webpChunks(t, out)
		total := 0
		for _, f := range frames {
			total += int(f[12]) | int(f[13])<<8 | int(f[14])<<16
		}
		// A frame that comes out like the one before is not stored.
		if want := 31 * 1001.0 / 30; loop != 3 || len(frames) < 28 || len(frames) > 31 || math.Abs(float64(total)-want) > 1 {
			t.Errorf("%d frames last %d ms, played %d times; want 31, %.0f and 3", len(frames), total, loop, want)
		}
		// The first frame by itself is a still picture, which ffmpeg decodes; animations it does not.
		still := filepath.Join(t.TempDir(), "still.webp")
		head := append([]byte("VP8X\x0a\x00\x00\x00\x10\x00\x00\x00"), frames[0][6:12]...)
		body := append([]byte("WEBP"), append(head, frames[0][16:]...)...)
		if err := os.WriteFile(still, append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...), 0o666); err != nil {
			t.Fatal(err)
		}
		picture := tool(t, "ffmpeg", "-i", still, "-vf", "format=rgba", "-f", "rawvideo", "-")
		at := func(x, y int) byte { return picture[(y*64+x)*4+3] }
		if at(10, 10) != 255 || at(10, 50) != 128 || at(50, 50) != 0 {
			t.Errorf("the alpha is %d, %d, %d", at(10, 10), at(10, 50), at(50, 50))
		}
		if quality == 100 {
			source := filepath.Join(t.TempDir(), "source.png")
			if err := os.WriteFile(source, list[0], 0o666); err != nil {
				t.Fatal(err)
			}
			want := tool(t, "ffmpeg", "-i", source, "-vf", "format=rgba", "-f", "rawvideo", "-")
			for i := 0; i < len(want); i += 4 {
				// What is not there has no colour.
				if want[i+3] > 0 && !bytes.Equal(picture[i:i+4], want[i:i+4]) {
					t.Fatalf("pixel %d is %v, want %v", i/4, picture[i:i+4], want[i:i+4])
				}
			}
		}
	}
	if sizes[10] >= sizes[80] {
		t.Errorf("the sizes are %v", sizes)
	}
}

func TestAPNG(t *testing.T) {
	dir := t.TempDir()
	list := moving(t, dir, 31, steps)
	out := finished(t, configured("apng", func(c *job.Config) { c.Loop, c.Transparent = 3, true }), list)
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	frames := 0
	for b := data[8:]; len(b) >= 12; {
		size, body := binary.BigEndian.Uint32(b), b[8:]
		switch string(b[4:8]) {
		case "acTL":
			if n, plays := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:]); n != 31 || plays != 3 {
				t.Errorf("it has %d frames and %d plays", n, plays)
			}
		case "fcTL":
			frames++
			if num, den := binary.BigEndian.Uint16(body[20:]), binary.BigEndian.Uint16(body[22:]); num != 1001 || den != 30000 {
				t.Errorf("a frame lasts %d/%d s", num, den)
			}
		}
		b = b[12+size:]
	}
	if frames != 31 {
		t.Errorf("%d frames have a duration", frames)
	}
	decode := func(in ...string) []byte {
		return tool(t, "ffmpeg", append(in, "-fps_mode", "passthrough", "-pix_fmt", "rgba", "-f", "rawvideo", "-")...)
	}
	want, got := decode("-i", filepath.Join(dir, "%05d.png")), decode("-i", out)
	if len(got) != len(want) {
		t.Fatalf("%d bytes of pictures became %d", len(want), len(got))
	}
	for i := 0; i < len(want); i += 4 {
		// What is not there has no colour.
		if a, b := want[i:i+4], got[i:i+4]; a[3] != b[3] || a[3] > 0 && !bytes.Equal(a, b) {
			t.Fatalf("in frame %d, %v became %v", i/4/64/64, a, b)
		}
	}
}

func TestPNGFolder(t *testing.T) {
	dir := t.TempDir()
	list := moving(t, dir, 7, steps)
	out := finished(t, configured("png", func(c *job.Config) { c.Output, c.Transparent = "out/", true }), list)
	if got, want := strings.Join(names(t, out), " "), "frame-00000.png frame-00001.png frame-00002.png frame-00003.png frame-00004.png frame-00005.png frame-00006.png"; got != want {
		t.Errorf("the folder holds %s", got)
	}
	want := sums(t, job.Config{}, filepath.Join(dir, "%05d.png"))
	if got := sums(t, job.Config{}, filepath.Join(out, "frame-%05d.png")); !slices.Equal(got, want) {
		t.Errorf("the pictures are\n%s\nnot\n%s", got, want)
	}
	if got := names(t, filepath.Dir(out)); strings.Join(got, " ") != "out stitched.mov" {
		t.Errorf("it left %s", got)
	}
	if info, err := os.Stat(out); err != nil || info.Mode().Perm() == 0o700 {
		t.Errorf("the folder has the mode %v, %v", info.Mode(), err)
	}
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestJPEGFolder(t *testing.T) {
	list := moving(t, t.TempDir(), 6, opaque)
	size := int64(math.MaxInt64)
	for _, quality := range []int{100, 90, 75, 30, 0} {
		out := finished(t, configured("mjpeg", func(c *job.Config) { c.Output, c.Quality = "out/", &quality }), list)
		if got := names(t, out); len(got) != 6 || got[0] != "frame-00000.jpg" || got[5] != "frame-00005.jpg" {
			t.Errorf("the folder holds %s", got)
		}
		if n := len(sums(t, job.Config{}, filepath.Join(out, "frame-%05d.jpg"))); n != 6 {
			t.Errorf("ffmpeg decodes %d pictures", n)
		}
		info, err := os.Stat(filepath.Join(out, "frame-00005.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() >= size {
			t.Errorf("with quality %d it is no smaller", quality)
		}
		size = info.Size()
	}
	want := color.NRGBA{0x33, 0x66, 0xcc, 0xff}
	one := solid(t, want)
	out := finished(t, configured("mjpeg", func(c *job.Config) { c.Output, c.Quality = "out/", new(90) }), [][]byte{one, one, one})
	if got := pixel(t, "-i", filepath.Join(out, "frame-00001.jpg")); !near(got, want, 3) {
		t.Errorf("%v became %v", want, got)
	}
}

func TestZIP(t *testing.T) {
	dir := t.TempDir()
	list := moving(t, dir, 7, steps)
	var first []byte
	for range 2 {
		out := finished(t, configured("png", func(c *job.Config) { c.Output, c.Transparent = "out.ZIP", true }), list)
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(first, data) {
			t.Error("the second run made other bytes")
		}
		first = data
	}
	archive, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	pictures := t.TempDir()
	for n, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r) // which checks its sum
		if err != nil || f.Name != fmt.Sprintf("frame-%05d.png", n) || f.Method != zip.Store {
			t.Errorf("%s, stored by method %d: %v", f.Name, f.Method, err)
		}
		r.Close()
		if err := os.WriteFile(filepath.Join(pictures, f.Name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want := sums(t, job.Config{}, filepath.Join(dir, "%05d.png"))
	if got := sums(t, job.Config{}, filepath.Join(pictures, "frame-%05d.png")); !slices.Equal(got, want) {
		t.Errorf("the pictures are\n%s\nnot\n%s", got, want)
	}
}

// A folder is replaced whole, and only if it holds nothing but frames.
func TestFolderThatIsThere(t *testing.T) {
	c := configured("png", func(c *job.Config) { c.Output = "out/" })
	dir := t.TempDir()
	stitched, out := filepath.Join(dir, "stitched.mov"), filepath.Join(dir, "out")
	join(t, c, moving(t, t.TempDir(), 3, opaque), stitched, 3)
	save := func(name string) {
		if err := os.MkdirAll(out, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(out, name), []byte("old"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	check := func(overwrite bool, want string) {
		t.Helper()
		if err := CheckFolder(out, overwrite); err == nil && want != "" || err != nil && (err.Error() != want || fault.Of(err) != fault.User) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
	check(false, "")
	save("frame-00007.png")
	check(false, out+" holds frames; use --overwrite to replace them, or another name")
	check(true, "")
	if err := Finish(t.Context(), c, stitched, out); err != nil {
		t.Fatal(err)
	}
	if got := names(t, out); len(got) != 3 {
		t.Errorf("the folder holds %s", got)
	}
	save("thesis.doc")
	check(true, out+" holds thesis.doc, which is no frame; name an empty or a new folder")
	if err := Finish(t.Context(), c, stitched, out); fault.Of(err) != fault.User || !strings.Contains(err.Error(), "thesis.doc") {
		t.Errorf("the error is %v", err)
	}
	if got := names(t, out); len(got) != 4 {
		t.Errorf("the folder holds %s", got)
	}
	// What a killed one left is removed, but not what another one is at.
	abandoned := filepath.Join(dir, ".new.partial-1")
	if err := os.Mkdir(abandoned, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(abandoned, "helios.lock"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	used, err := tempfile.MkdirPartial(filepath.Join(dir, "new"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Finish(t.Context(), c, stitched, filepath.Join(dir, "new")); err != nil {
		t.Error(err)
	}
	if got := names(t, dir); strings.Join(got, " ") != filepath.Base(used.Path())+" new out stitched.mov" {
		t.Errorf("there are %s", got)
	}
	used.Remove()
	os.RemoveAll(filepath.Join(dir, "new"))
	// Half a video leaves nothing behind.
	data, err := os.ReadFile(stitched)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stitched, data[:len(data)-2000], 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Finish(t.Context(), c, stitched, filepath.Join(dir, "new")); err == nil {
		t.Error("half a video is no error")
	}
	if got := names(t, dir); strings.Join(got, " ") != "out stitched.mov" {
		t.Errorf("it left %s", got)
	}
}

func TestFinishContextEnds(t *testing.T) {
	dir := t.TempDir()
	stitched := filepath.Join(dir, "stitched.mov")
	for _, codec := range []string{"gif", "libwebp_anim", "apng", "png", "mjpeg"} {
		c := configOf(codec)
		join(t, c, frames(t, 2, 64, 64), stitched, 2)
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("changed my mind")
		cancel(reason)
		if err := Finish(ctx, c, stitched, filepath.Join(dir, "out")); !errors.Is(err, reason) {
			t.Errorf("%s: the error is %v", codec, err)
		}
	}
	c := configOf("gif")
	if err := Finish(t.Context(), c, stitched, filepath.Join(dir, "gone", "out.gif")); fault.Of(err) != fault.User || !strings.Contains(err.Error(), "no such file or directory") {
		t.Errorf("without its folder the error is %v", err)
	}
	if err := Finish(t.Context(), config(), stitched, filepath.Join(dir, "out.mp4")); err == nil {
		t.Error("an MP4 was finished")
	}
}
