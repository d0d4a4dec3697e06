package video

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"helios/shared/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// encodeNumbers encodes a video whose frame n shows the number n as eight black or white columns: its bits, the highest
// on the left.
func encodeNumbers(t *testing.T, name string, seconds int, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	const bits = "format=gray,geq=lum='if(bitand(floor(N/pow(2,7-floor(X*8/W))),1),235,16)':cb=128:cr=128"
	all := []string{
		"-nostdin", "-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("color=s=128x72:d=%d:r=30", seconds),
		"-vf", bits, "-pix_fmt", "yuv420p",
	}
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

// decodeNumber returns the number that a frame shows.
func decodeNumber(t *testing.T, frame []byte) (n int) {
	t.Helper()
	image, err := jpeg.Decode(bytes.NewReader(frame))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 {
		n <<= 1
		if red, _, _, _ := image.At(8+16*bit, 36).RGBA(); red > 0x8000 {
			n |= 1
		}
	}
	return n
}

func TestFrame(t *testing.T) {
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
			r := open(t, encodeNumbers(t, name, 4, args...))
			if n := len(r.info.Times); n != 120 {
				t.Fatalf("%d frames, want 120", n)
			}
			for _, i := range []int{0, 1, 2, 7, 60, 61, 119, 119, 59, 24, 25, 26, 49, 50, 0} {
				frame, err := r.Frame(t.Context(), i)
				if err != nil {
					t.Fatal(err)
				}
				if got := decodeNumber(t, frame); got != i {
					t.Errorf("Frame(%d) is frame %d", i, got)
				}
			}
			want := 4
			if name == "b.ts" {
				want = 8 // a transport stream has no index, so ffmpeg can seek too far
			}
			if r.starts > want {
				t.Errorf("%d decoders were started, want at most %d", r.starts, want)
			}
		})
	}
}

// A Reader decodes only the GOP of the first requested frame and the frames after it.
func TestReaderSkipsEarlierGOPs(t *testing.T) {
	path := encodeNumbers(t, "long.mp4", 120, "-c:v", "libx264", "-preset", "ultrafast", "-g", "30")
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
	t.Logf("CPU time of 3600 frames: %s; of 30 frames: %s", all, part)
	if part*4 > all {
		t.Errorf("30 of 3600 frames take %s of CPU, all of them %s", part, all)
	}
}

func TestUnreadableFileIsUserError(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list.mp4")
	target := encodeNumbers(t, "target.mp4", 1, "-c:v", "libx264")
	if err := os.WriteFile(list, []byte("ffconcat version 1.0\nfile "+target+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// A playlist is rejected because it contains the paths of other files.
	for _, path := range []string{list, "video_test.go", "gone.mp4"} {
		if _, err := Probe(t.Context(), path); fault.Of(err) != fault.User {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestKilledFFmpegIsTransient(t *testing.T) {
	r := open(t, encodeNumbers(t, "v.mp4", 8, "-c:v", "libx264"))
	if _, err := r.Frame(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	syscall.Kill(r.decoder.process.PID(), syscall.SIGKILL)
	var err error
	for i := 1; err == nil && i < 240; i++ {
		_, err = r.Frame(t.Context(), i)
	}
	if fault.Of(err) != fault.Transient {
		t.Errorf("the error is %v", err)
	}
	if frame, err := r.Frame(t.Context(), 100); err != nil || decodeNumber(t, frame) != 100 {
		t.Errorf("the next call returned %v", err)
	}
}
