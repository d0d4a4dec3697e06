package video

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"helios/shared/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// numbered makes a video whose frame n shows n in its luma: eight columns are its bits, the highest left.
func numbered(t *testing.T, name string, seconds int, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	all := []string{"-nostdin", "-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("color=s=128x72:d=%d:r=30", seconds),
		"-vf", "format=gray,geq=lum='if(bitand(floor(N/pow(2,7-floor(X*8/W))),1),235,16)':cb=128:cr=128", "-pix_fmt", "yuv420p"}
	if out, err := exec.Command("ffmpeg", append(append(all, args...), path)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func open(t *testing.T, path string) *Reader {
	t.Helper()
	info, err := Probe(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	r := NewReader(path, info)
	t.Cleanup(r.Close)
	return r
}

func number(t *testing.T, picture []byte) (n int) {
	t.Helper()
	p, err := jpeg.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 {
		n <<= 1
		if red, _, _, _ := p.At(8+16*bit, 36).RGBA(); red > 0x8000 {
			n |= 1
		}
	}
	return n
}

func TestPicturesAreThoseThatWereAskedFor(t *testing.T) {
	for name, args := range map[string][]string{
		"b.mp4":    {"-c:v", "libx264", "-bf", "3", "-g", "25"},
		"open.mp4": {"-c:v", "libx264", "-bf", "3", "-g", "25", "-x264-params", "open-gop=1"},
		"b.mkv":    {"-c:v", "libx264", "-bf", "3", "-g", "25"},
		"b.ts":     {"-c:v", "libx264", "-bf", "3", "-g", "25"},
		"p.avi":    {"-c:v", "mpeg4", "-g", "25"},
		"p.mov":    {"-c:v", "prores_ks"},
		"vp9.webm": {"-c:v", "libvpx-vp9", "-cpu-used", "8", "-auto-alt-ref", "1", "-g", "25"},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, numbered(t, name, 4, args...))
			if n := len(r.info.Times); n != 120 {
				t.Fatalf("it has %d pictures, want 120", n)
			}
			for _, i := range []int{0, 1, 2, 7, 60, 61, 119, 119, 59, 24, 25, 26, 49, 50, 0} {
				picture, err := r.Frame(t.Context(), i)
				if err != nil {
					t.Fatal(err)
				}
				if got := number(t, picture); got != i {
					t.Errorf("picture %d is %d", i, got)
				}
			}
			want := 4
			if name == "b.ts" {
				want = 8 // a transport stream has no index: ffmpeg lands too late at times
			}
			if r.starts > want {
				t.Errorf("%d stretches were begun, want at most %d", r.starts, want)
			}
		})
	}
}

// A partition in the middle of a long video decodes what it shows, and no more before it than a group of pictures.
func TestAStretchIsAllThatIsDecoded(t *testing.T) {
	path := numbered(t, "long.mp4", 120, "-c:v", "libx264", "-preset", "ultrafast", "-g", "30")
	children := func() time.Duration {
		var u syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	cpu := func(from, count int) time.Duration {
		r := open(t, path)
		before := children()
		for i := range count {
			if _, err := r.Frame(t.Context(), from+i); err != nil {
				t.Fatal(err)
			}
		}
		r.Close()
		return children() - before
	}
	all, part := cpu(0, 3600), cpu(3400, 30)
	t.Logf("all take %s of CPU, the part %s", all, part)
	if part*4 > all {
		t.Errorf("30 of 3600 pictures take %s of CPU, all of them %s", part, all)
	}
}

func TestWhatCannotBeReadIsTheUsersFault(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list.mp4")
	target := numbered(t, "target.mp4", 1, "-c:v", "libx264")
	if out, err := exec.Command("sh", "-c", `printf 'ffconcat version 1.0\nfile %s\n' "$1" > "$2"`, "sh", target, list).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	// A list of other files is none that a page may show.
	for _, path := range []string{list, "video_test.go", "gone.mp4"} {
		if _, err := Probe(t.Context(), path); fault.Of(err) != fault.User {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestAKilledFFmpegIsTransient(t *testing.T) {
	r := open(t, numbered(t, "v.mp4", 8, "-c:v", "libx264"))
	if _, err := r.Frame(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	syscall.Kill(r.stretch.process.PID(), syscall.SIGKILL)
	var err error
	for i := 1; err == nil && i < 240; i++ {
		_, err = r.Frame(t.Context(), i)
	}
	if fault.Of(err) != fault.Transient {
		t.Errorf("the error is %v", err)
	}
	if picture, err := r.Frame(t.Context(), 100); err != nil || number(t, picture) != 100 {
		t.Errorf("it does not go on: %v", err)
	}
}
