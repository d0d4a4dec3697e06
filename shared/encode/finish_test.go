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

// finished encodes frames to three chunks, joins and finishes them, and returns the output.
func finished(t *testing.T, c job.Config, list [][]byte) string {
	t.Helper()
	dir := t.TempDir()
	joined, out := filepath.Join(dir, "joined.mov"), filepath.Join(dir, "out")
	third := len(list) / 3
	join(t, c, list, joined, third, third, len(list)-2*third)
	if err := Finish(t.Context(), c, joined, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// steps makes half of a frame opaque, a quarter half transparent and a quarter transparent.
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
		// The extension contains the number of repeats; 0 is without end. Without the extension there are none.
		repeats := -1
		if at := bytes.Index(data, []byte("NETSCAPE2.0")); at >= 0 {
			repeats = int(binary.LittleEndian.Uint16(data[at+13:]))
		}
		if repeats != want {
			t.Errorf("loop %d: the GIF repeats %d times, want %d", loop, repeats, want)
		}
		if loop != 0 {
			continue
		}
		// Delays are in 1/100 s. Their sum is 31*1001/30000 s, rounded.
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
		// The alpha of GIF is one bit.
		for n := range 31 {
			filter := fmt.Sprintf("select=eq(n\\,%d),format=rgba", n)
			frame := tool(t, "ffmpeg", "-i", out, "-vf", filter, "-frames:v", "1", "-f", "rawvideo", "-")
			at := func(x, y int) byte { return frame[(y*64+x)*4+3] }
			if at(10, 10) != 255 || at(10, 50) != 255 || at(50, 50) != 0 {
				t.Errorf("frame %d: the alpha is %d, %d, %d, want 255, 255, 0", n, at(10, 10), at(10, 50), at(50, 50))
			}
		}
	}
}

// The palette contains the colours of all frames.
func TestPaletteOfTheWholeVideo(t *testing.T) {
	var list [][]byte
	want := []color.NRGBA{{0x12, 0x34, 0x56, 255}, {0xfe, 0x01, 0x80, 255}, {0x40, 0xc0, 0x20, 255}}
	for _, c := range want {
		list = append(list, solid(t, c))
	}
	out := finished(t, configured("gif", func(*job.Config) {}), list)
	frames := tool(t, "ffmpeg", "-i", out, "-vf", "format=rgba,crop=1:1:32:32",
		"-fps_mode", "passthrough", "-f", "rawvideo", "-")
	for n, c := range want {
		got := color.NRGBA{frames[4*n], frames[4*n+1], frames[4*n+2], frames[4*n+3]}
		if !near(got, c, 4) {
			t.Errorf("frame %d is %v, want %v", n, got, c)
		}
	}
}

// webpChunks returns the number of plays of an animated WebP, and its frames.
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
		c := configured("libwebp_anim", func(c *job.Config) { c.Quality, c.Loop, c.Transparent = &quality, 3, true })
		out := finished(t, c, list)
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
		// A frame that equals the previous one after encoding is not stored.
		want := 31 * 1001.0 / 30
		if loop != 3 || len(frames) < 28 || len(frames) > 31 || math.Abs(float64(total)-want) > 1 {
			t.Errorf("%d frames last %d ms, played %d times; want 31, %.0f and 3", len(frames), total, loop, want)
		}
		// ffmpeg does not decode animated WebP, so the first frame is wrapped as a still image.
		still := filepath.Join(t.TempDir(), "still.webp")
		head := append([]byte("VP8X\x0a\x00\x00\x00\x10\x00\x00\x00"), frames[0][6:12]...)
		body := append([]byte("WEBP"), append(head, frames[0][16:]...)...)
		riff := append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
		if err := os.WriteFile(still, riff, 0o666); err != nil {
			t.Fatal(err)
		}
		pixels := tool(t, "ffmpeg", "-i", still, "-vf", "format=rgba", "-f", "rawvideo", "-")
		at := func(x, y int) byte { return pixels[(y*64+x)*4+3] }
		if at(10, 10) != 255 || at(10, 50) != 128 || at(50, 50) != 0 {
			t.Errorf("the alpha is %d, %d, %d, want 255, 128, 0", at(10, 10), at(10, 50), at(50, 50))
		}
		if quality == 100 {
			source := filepath.Join(t.TempDir(), "source.png")
			if err := os.WriteFile(source, list[0], 0o666); err != nil {
				t.Fatal(err)
			}
			want := tool(t, "ffmpeg", "-i", source, "-vf", "format=rgba", "-f", "rawvideo", "-")
			for i := 0; i < len(want); i += 4 {
				// The colour of transparent pixels is not kept.
				if want[i+3] > 0 && !bytes.Equal(pixels[i:i+4], want[i:i+4]) {
					t.Fatalf("pixel %d is %v, want %v", i/4, pixels[i:i+4], want[i:i+4])
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
				t.Errorf("the APNG has %d frames and %d plays, want 31 and 3", n, plays)
			}
		case "fcTL":
			frames++
			num, den := binary.BigEndian.Uint16(body[20:]), binary.BigEndian.Uint16(body[22:])
			if num != 1001 || den != 30000 {
				t.Errorf("a frame lasts %d/%d s, want 1001/30000 s", num, den)
			}
		}
		b = b[12+size:]
	}
	if frames != 31 {
		t.Errorf("%d frames have a duration, want 31", frames)
	}
	decode := func(in ...string) []byte {
		return tool(t, "ffmpeg", append(in, "-fps_mode", "passthrough", "-pix_fmt", "rgba", "-f", "rawvideo", "-")...)
	}
	want, got := decode("-i", filepath.Join(dir, "%05d.png")), decode("-i", out)
	if len(got) != len(want) {
		t.Fatalf("ffmpeg decodes %d bytes, want %d", len(got), len(want))
	}
	for i := 0; i < len(want); i += 4 {
		// The colour of transparent pixels is not kept.
		if a, b := want[i:i+4], got[i:i+4]; a[3] != b[3] || a[3] > 0 && !bytes.Equal(a, b) {
			t.Fatalf("frame %d: a pixel is %v, want %v", i/4/64/64, b, a)
		}
	}
}

func TestPNGFolder(t *testing.T) {
	dir := t.TempDir()
	list := moving(t, dir, 7, steps)
	out := finished(t, configured("png", func(c *job.Config) { c.Output, c.Transparent = "out/", true }), list)
	var wantNames []string
	for n := range 7 {
		wantNames = append(wantNames, fmt.Sprintf("frame-%05d.png", n))
	}
	if got := names(t, out); !slices.Equal(got, wantNames) {
		t.Errorf("the folder contains %s, want %s", got, wantNames)
	}
	want := sums(t, job.Config{}, filepath.Join(dir, "%05d.png"))
	if got := sums(t, job.Config{}, filepath.Join(out, "frame-%05d.png")); !slices.Equal(got, want) {
		t.Errorf("the images are\n%s\nwant\n%s", got, want)
	}
	if got := names(t, filepath.Dir(out)); strings.Join(got, " ") != "joined.mov out" {
		t.Errorf("Finish() leaves %s", got)
	}
	if info, err := os.Stat(out); err != nil || info.Mode().Perm() == 0o700 {
		t.Errorf("the mode of the folder is %v, %v", info.Mode(), err)
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
		c := configured("mjpeg", func(c *job.Config) { c.Output, c.Quality = "out/", &quality })
		out := finished(t, c, list)
		if got := names(t, out); len(got) != 6 || got[0] != "frame-00000.jpg" || got[5] != "frame-00005.jpg" {
			t.Errorf("the folder contains %s", got)
		}
		if n := len(sums(t, job.Config{}, filepath.Join(out, "frame-%05d.jpg"))); n != 6 {
			t.Errorf("ffmpeg decodes %d images, want 6", n)
		}
		info, err := os.Stat(filepath.Join(out, "frame-00005.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() >= size {
			t.Errorf("quality %d: the image is not smaller", quality)
		}
		size = info.Size()
	}
	want := color.NRGBA{0x33, 0x66, 0xcc, 0xff}
	one := solid(t, want)
	c := configured("mjpeg", func(c *job.Config) { c.Output, c.Quality = "out/", new(90) })
	out := finished(t, c, [][]byte{one, one, one})
	if got := pixel(t, "-i", filepath.Join(out, "frame-00001.jpg")); !near(got, want, 3) {
		t.Errorf("the colour is %v, want %v", got, want)
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
			t.Error("the second archive differs from the first")
		}
		first = data
	}
	archive, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	images := t.TempDir()
	for n, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r) // verifies the checksum
		if err != nil || f.Name != fmt.Sprintf("frame-%05d.png", n) || f.Method != zip.Store {
			t.Errorf("entry %d is %s, method %d: %v", n, f.Name, f.Method, err)
		}
		r.Close()
		if err := os.WriteFile(filepath.Join(images, f.Name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want := sums(t, job.Config{}, filepath.Join(dir, "%05d.png"))
	if got := sums(t, job.Config{}, filepath.Join(images, "frame-%05d.png")); !slices.Equal(got, want) {
		t.Errorf("the images are\n%s\nwant\n%s", got, want)
	}
}

// A folder is replaced as a whole, and only if it contains nothing but frames.
func TestReplacingAFolder(t *testing.T) {
	c := configured("png", func(c *job.Config) { c.Output = "out/" })
	dir := t.TempDir()
	joined, out := filepath.Join(dir, "joined.mov"), filepath.Join(dir, "out")
	join(t, c, moving(t, t.TempDir(), 3, opaque), joined, 3)
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
		err := CheckFolder(out, overwrite)
		if err == nil && want != "" || err != nil && (err.Error() != want || fault.Of(err) != fault.User) {
			t.Errorf("CheckFolder(overwrite %t) = %v, want %q", overwrite, err, want)
		}
	}
	check(false, "")
	save("frame-00007.png")
	check(false, out+" contains frames; use --overwrite to replace them, or another name")
	check(true, "")
	if err := Finish(t.Context(), c, joined, out); err != nil {
		t.Fatal(err)
	}
	if got := names(t, out); len(got) != 3 {
		t.Errorf("the folder contains %s", got)
	}
	save("thesis.doc")
	check(true, out+" contains thesis.doc, which is not a frame; use an empty or new folder")
	err := Finish(t.Context(), c, joined, out)
	if fault.Of(err) != fault.User || !strings.Contains(err.Error(), "thesis.doc") {
		t.Errorf("Finish() = %v, want a user error about thesis.doc", err)
	}
	if got := names(t, out); len(got) != 4 {
		t.Errorf("the folder contains %s", got)
	}
	// Finish removes the partial folder of a killed process, but not the one of a living process.
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
	if err := Finish(t.Context(), c, joined, filepath.Join(dir, "new")); err != nil {
		t.Error(err)
	}
	if got := names(t, dir); strings.Join(got, " ") != filepath.Base(used.Path())+" joined.mov new out" {
		t.Errorf("the folder contains %s", got)
	}
	used.Remove()
	os.RemoveAll(filepath.Join(dir, "new"))
	// An error leaves nothing behind.
	data, err := os.ReadFile(joined)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(joined, data[:len(data)-2000], 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Finish(t.Context(), c, joined, filepath.Join(dir, "new")); err == nil {
		t.Error("Finish() accepts a truncated video")
	}
	if got := names(t, dir); strings.Join(got, " ") != "joined.mov out" {
		t.Errorf("Finish() leaves %s", got)
	}
}

func TestFinishContextEnds(t *testing.T) {
	dir := t.TempDir()
	joined := filepath.Join(dir, "joined.mov")
	for _, codec := range []string{"gif", "libwebp_anim", "apng", "png", "mjpeg"} {
		c := configOf(codec)
		join(t, c, frames(t, 2, 64, 64), joined, 2)
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("changed my mind")
		cancel(reason)
		if err := Finish(ctx, c, joined, filepath.Join(dir, "out")); !errors.Is(err, reason) {
			t.Errorf("%s: Finish() after cancel = %v, want %v", codec, err, reason)
		}
	}
	c := configOf("gif")
	err := Finish(t.Context(), c, joined, filepath.Join(dir, "missing", "out.gif"))
	if fault.Of(err) != fault.User || !strings.Contains(err.Error(), "no such file or directory") {
		t.Errorf("Finish() in a missing folder = %v, want a user error", err)
	}
	if err := Finish(t.Context(), config(), joined, filepath.Join(dir, "out.mp4")); err == nil {
		t.Error("Finish() accepts MP4")
	}
}
