package mp4_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/Eyevinn/mp4ff/bits"
	mp4ff "github.com/Eyevinn/mp4ff/mp4"
	"go.uber.org/goleak"

	"helios/shared/stitch"
	"helios/shared/stitch/mp4"
	"helios/shared/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source describes a chunk: frames of ffmpeg's test pattern, encoded. The comments state the defaults.
type source struct {
	size      string // 192x108
	rate      string // 30
	start     int    // the first frame
	frames    int    // 30
	codec     string // libx264
	timescale string // 15360
	args      []string
}

// encode encodes the chunk to a file.
func (s source) encode(t testing.TB, path string) {
	t.Helper()
	s.frames = cmp.Or(s.frames, 30)
	args := []string{
		"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=%s:rate=%s", cmp.Or(s.size, "192x108"), cmp.Or(s.rate, "30")),
		"-vf", fmt.Sprintf("trim=start_frame=%d:end_frame=%d,setpts=PTS-STARTPTS,format=yuv420p", s.start, s.start+s.frames),
		"-c:v", cmp.Or(s.codec, "libx264"), "-preset", "fast", "-g", "12", "-bf", "3", "-sc_threshold", "0",
		"-video_track_timescale", cmp.Or(s.timescale, "15360"),
	}
	if s.codec == "libx265" {
		args = append(args, "-x265-params", "log-level=error:open-gop=0")
	}
	args = append(args, s.args...)
	run(t, "ffmpeg", slices.Concat([]string{"-v", "error", "-y"}, args, []string{path})...)
}

// run runs a program and returns its output. Output on stderr fails the test.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}

// probed is the output of ffprobe.
type probed struct {
	Streams []struct {
		NbFrames     string `json:"nb_frames"`
		NbReadFrames string `json:"nb_read_frames"`
		TimeBase     string `json:"time_base"`
		DurationTS   int64  `json:"duration_ts"`
		StartPTS     int64  `json:"start_pts"`
		FrameRate    string `json:"r_frame_rate"`
		AvgFrameRate string `json:"avg_frame_rate"`
		Primaries    string `json:"color_primaries"`
		Transfer     string `json:"color_transfer"`
		Space        string `json:"color_space"`
	}
	Packets []struct {
		PTS, DTS, Duration int64
		Flags              string
	}
	Format struct {
		Tags map[string]string
	}
}

func probe(t testing.TB, path string) probed {
	t.Helper()
	var p probed
	out := run(t, "ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_packets", "-show_format",
		"-of", "json", path)
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Streams) != 1 {
		t.Fatalf("%s has %d streams, want 1", path, len(p.Streams))
	}
	return p
}

// digests returns a digest of each decoded frame. The arguments args precede the input.
func digests(t testing.TB, path string, args ...string) []string {
	t.Helper()
	args = slices.Concat([]string{"-v", "error"}, args, []string{"-i", path, "-f", "framemd5", "-"})
	var sums []string
	for line := range strings.Lines(run(t, "ffmpeg", args...)) {
		if fields := strings.Fields(line); fields[0][0] != '#' {
			sums = append(sums, fields[len(fields)-1])
		}
	}
	return sums
}

// chunks returns chunks of any number of frames.
func chunks(names ...string) (list []stitch.Chunk) {
	for _, name := range names {
		list = append(list, stitch.Chunk{Name: name})
	}
	return list
}

// write joins chunks in a folder to a file in the same folder.
func write(t testing.TB, dir, output string, names []string, opts stitch.Options) mp4.Info {
	t.Helper()
	st := store.Dir(dir)
	w, err := st.Create(context.Background(), output)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	info, err := mp4.Write(context.Background(), w, st, chunks(names...), opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	return info
}

// topBoxes returns the types of the top-level boxes of a file, in order.
func topBoxes(t testing.TB, path string) []string {
	t.Helper()
	f, err := mp4ff.ReadMP4File(path)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, b := range f.Children {
		types = append(types, b.Type())
	}
	return types
}

// moovOf decodes the moov box of a file.
func moovOf(t testing.TB, path string) *mp4ff.MoovBox {
	t.Helper()
	f, err := mp4ff.ReadMP4File(path)
	if err != nil {
		t.Fatal(err)
	}
	return f.Moov
}

// rewrite returns the content of a file with a changed moov box. The box must be the last one of the file.
func rewrite(t testing.TB, path string, change func(*mp4ff.MoovBox)) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(data, []byte("moov")) - 4
	b, err := mp4ff.DecodeBoxSR(0, bits.NewFixedSliceReader(data[at:]))
	if err != nil {
		t.Fatal(err)
	}
	moov := b.(*mp4ff.MoovBox)
	change(moov)
	out := bytes.NewBuffer(slices.Clone(data[:at]))
	if err := moov.Encode(out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func save(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

func atoi(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// names returns a.mp4, b.mp4 and so on.
func names(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("%c.mp4", 'a'+i))
	}
	return list
}

func join(dir, name string) string { return filepath.Join(dir, name) }

// randomChunk returns a chunk of 30 samples with random content and size bytes in total.
func randomChunk(t testing.TB, dir string, size int) []byte {
	t.Helper()
	if _, err := os.Stat(join(dir, "model.mp4")); err != nil {
		source{}.encode(t, join(dir, "model.mp4"))
	}
	sampleSize := size / 30
	data := rewrite(t, join(dir, "model.mp4"), func(moov *mp4ff.MoovBox) {
		sizes := moov.Trak.Mdia.Minf.Stbl.Stsz.SampleSize
		for i := range sizes {
			sizes[i] = uint32(sampleSize)
		}
	})
	samples := make([]byte, 30*sampleSize)
	rand.Read(samples)
	mdat, n := bytes.Index(data, []byte("mdat")), len(samples)+8
	copy(data[mdat-4:], []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	return bytes.Join([][]byte{data[:mdat+4], samples, data[bytes.LastIndex(data, []byte("moov"))-4:]}, nil)
}
