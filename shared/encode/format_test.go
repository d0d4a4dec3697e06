package encode

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"helios/shared/job"
	"helios/shared/stitch"
	"helios/shared/stitch/mp4"
	"helios/shared/stitch/webm"
	"helios/shared/store"
)

// tool runs ffmpeg or ffprobe and returns what it prints.
func tool(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, append([]string{"-v", "error"}, args...)...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil || problems.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, problems.String())
	}
	return out
}

// moving writes n different frames to a folder, as 00001.png and so on, and returns them.
func moving(t *testing.T, dir string, n int, filter string) (list [][]byte) {
	t.Helper()
	tool(t, "ffmpeg", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=30",
		"-frames:v", strconv.Itoa(n), "-vf", filter, filepath.Join(dir, "%05d.png"))
	for i := range n {
		b, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%05d.png", i+1)))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, b)
	}
	return list
}

// join encodes frames to chunks of the given lengths, joins them to the file out, and returns the paths of the chunks.
func join(t *testing.T, c job.Config, list [][]byte, out string, lengths ...int) (parts []string) {
	t.Helper()
	dir := t.TempDir()
	var chunks []stitch.Chunk
	for i, n := range lengths {
		chunk := stitch.Chunk{Name: strconv.Itoa(i), Frames: int64(n)}
		encode(t, c, list[:n], filepath.Join(dir, chunk.Name))
		chunks, list = append(chunks, chunk), list[n:]
		parts = append(parts, filepath.Join(dir, chunk.Name))
	}
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	opts := stitch.Options{Comment: "joined"}
	if c.Format == job.WebM {
		_, err = webm.Write(t.Context(), f, store.Dir(dir), chunks, webm.Options{Options: opts, FPS: c.FPS})
	} else {
		_, err = mp4.Write(t.Context(), f, store.Dir(dir), chunks, opts)
	}
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// decoder returns the arguments that select a decoder: ffmpeg's own VP9 decoder ignores transparency.
func decoder(c job.Config) []string {
	if c.VideoCodec == "libvpx-vp9" {
		return []string{"-c:v", "libvpx-vp9"}
	}
	return nil
}

// sums returns the MD5 sums of the decoded frames.
func sums(t *testing.T, c job.Config, file string) (list []string) {
	t.Helper()
	out := tool(t, "ffmpeg", append(decoder(c), "-i", file, "-f", "framemd5", "-")...)
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			list = append(list, strings.TrimSpace(line[strings.LastIndexByte(line, ',')+1:]))
		}
	}
	return list
}

const (
	opaque = "format=rgb24"
	half   = "format=rgba,colorchannelmixer=aa=0.5"
)

// Joining does not change frames, and the number of partitions does not matter. Lossless and intra-only codecs give the
// same frames with any partitions. The rate control of the others depends on neighbouring frames, even across key
// frames, so a new encoder chooses slightly different quantisers: there, the test compares the frames with their
// sources.
func TestPartitionsDoNotChangeFrames(t *testing.T) {
	const best = 1 // the highest quality that is not lossless
	for _, test := range []struct {
		format      job.Format
		codec       string
		depth       int
		transparent bool
		preset      string
		quality     int
		exact       bool
		pixels      string // the pixel format that ffprobe reports
	}{
		{job.MP4, "libx264", 0, false, "veryfast", 0, true, "yuv420p"},
		{job.MP4, "libx264", 0, false, "veryfast", 16, false, "yuv420p"},
		{job.MP4, "libx264", 0, false, "veryfast", best, false, "yuv420p"},
		{job.MOV, "libx264", 10, false, "veryfast", 16, false, "yuv420p10le"},
		{job.MP4, "libx265", 0, false, "superfast", 0, true, "yuv420p"},
		{job.MP4, "libx265", 0, false, "superfast", 16, false, "yuv420p"},
		{job.MP4, "libx265", 0, false, "superfast", best, false, "yuv420p"},
		{job.MP4, "libx265", 10, false, "superfast", 0, true, "yuv420p10le"},
		{job.MP4, "libsvtav1", 0, false, "9", 27, false, "yuv420p"},
		{job.MP4, "libsvtav1", 10, false, "9", 27, false, "yuv420p10le"},
		{job.MP4, "libsvtav1", 10, false, "9", best, false, "yuv420p10le"},
		{job.WebM, "libvpx-vp9", 0, true, "6", 0, true, "yuv420p"},
		{job.WebM, "libvpx-vp9", 0, false, "6", 22, false, "yuv420p"},
		{job.WebM, "libvpx-vp9", 0, false, "6", best, false, "yuv420p"},
		{job.WebM, "libvpx-vp9", 10, false, "6", 0, true, "yuv420p10le"},
		{job.WebM, "libsvtav1", 0, false, "9", 27, false, "yuv420p"},
		{job.MOV, "prores_ks", 0, false, "proxy", 0, true, "yuv422p10le"},
		{job.MOV, "prores_ks", 0, false, "hq", 0, true, "yuv422p10le"},
		{job.MOV, "prores_ks", 10, false, "4444", 0, true, "yuv444p12le"},
		{job.MOV, "prores_ks", 0, true, "hq", 0, true, "yuva444p12le"},
		{job.MOV, "prores_ks", 0, true, "4444xq", 0, true, "yuva444p12le"},
		{job.GIF, "gif", 0, true, "default", 0, true, "rgba"},
		{job.JPEG, "mjpeg", 0, false, "default", 90, true, "rgb24"},
		{job.PNG, "png", 0, true, "default", 0, true, "rgba"},
		{job.APNG, "apng", 0, true, "default", 0, true, "rgba"},
		{job.WebP, "libwebp_anim", 0, true, "default", 80, true, "rgba"},
	} {
		name := fmt.Sprintf("%s %s %s %d bits quality %d transparent %t",
			test.format, test.codec, test.preset, test.depth, test.quality, test.transparent)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, dir := configOf(test.codec), t.TempDir()
			c.FPS, c.GOP = job.Rate{Num: 30000, Den: 1001}, 6
			c.Format, c.BitDepth, c.Transparent = test.format, test.depth, test.transparent
			c.Preset, c.Quality = test.preset, &test.quality
			if c.Format == job.WebM {
				c.AudioCodec = "libopus"
			}
			filter := opaque
			if c.Transparent {
				filter = half
			}
			list := moving(t, dir, 30, filter)
			one, three := filepath.Join(dir, "one"), filepath.Join(dir, "three")
			join(t, c, list, one, 30)
			// The partitions do not start where GOPs of the whole would start.
			parts := join(t, c, list, three, 13, 1, 16)
			var apart []string
			for _, part := range parts {
				apart = append(apart, sums(t, c, part)...)
			}
			whole, joined := sums(t, c, one), sums(t, c, three)
			if len(joined) != 30 || !slices.Equal(joined, apart) {
				t.Errorf("the joined frames are\n%s\nwant those of the chunks\n%s", joined, apart)
			}
			if test.exact && !slices.Equal(whole, joined) {
				t.Errorf("in partitions, the frames are\n%s\nwant\n%s", joined, whole)
			}
			if !test.exact {
				a, b := psnr(t, c, one, dir), psnr(t, c, three, dir)
				if mean(b) < mean(a)-1 || slices.Min(b) < 35 {
					t.Errorf("the PSNR of the frames is %.1f dB, without partitions %.1f dB", b, a)
				}
			}
			if test.quality == best {
				if list := psnrOf(t, decoder(c), one, decoder(c), three); slices.Min(list) < 50 {
					t.Errorf("the PSNR of the frames is %.1f dB compared with one partition, want 50", list)
				}
			}
			got := string(tool(t, "ffprobe", "-show_entries", "stream=pix_fmt,r_frame_rate,nb_frames,duration",
				"-of", "compact=p=0:nk=1", three))
			want := test.pixels + "|30000/1001|1.001000|30\n"
			if c.Format == job.WebM {
				want = test.pixels + "|30000/1001|N/A|N/A\n"
			}
			if got != want {
				t.Errorf("ffprobe prints %q, want %q", got, want)
			}
		})
	}
}

func mean(list []float64) (m float64) {
	for _, v := range list {
		m += v / float64(len(list))
	}
	return m
}

var average = regexp.MustCompile(`psnr_avg:([0-9.]+|inf)`)

// psnr returns the PSNR of each frame of a video, compared with its source.
func psnr(t *testing.T, c job.Config, file, sources string) []float64 {
	t.Helper()
	return psnrOf(t, decoder(c), file, []string{"-framerate", "30"}, filepath.Join(sources, "%05d.png"))
}

// psnrOf returns the PSNR of each frame of a video compared with another one. how are the arguments to open a video.
func psnrOf(t *testing.T, how []string, file string, otherHow []string, other string) (list []float64) {
	t.Helper()
	args := append(slices.Concat(how, []string{"-i", file}, otherHow, []string{"-i", other}), "-lavfi",
		"[0:v]settb=1/30,setpts=N,format=yuv420p[a];"+
			"[1:v]settb=1/30,setpts=N,scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,"+
			"format=yuv420p[b];[a][b]psnr=stats_file=-",
		"-f", "null", "-")
	for _, found := range average.FindAllStringSubmatch(string(tool(t, "ffmpeg", args...)), -1) {
		dB, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, dB)
	}
	if len(list) != 30 {
		t.Fatalf("ffmpeg compared %d frames, want 30", len(list))
	}
	return list
}

// solid returns a frame of one colour.
func solid(t *testing.T, c color.NRGBA) []byte {
	t.Helper()
	pixels := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for i := 0; i < len(pixels.Pix); i += 4 {
		copy(pixels.Pix[i:], []byte{c.R, c.G, c.B, c.A})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, pixels); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// onePixel is the filter for the pixel in the middle of a frame.
const onePixel = "scale=out_range=full:flags=accurate_rnd+full_chroma_inp,format=rgba,crop=1:1:32:32"

// pixel returns a pixel of the first frame of a video or an image.
func pixel(t *testing.T, args ...string) color.NRGBA {
	t.Helper()
	args = append(args, "-vf", onePixel, "-frames:v", "1", "-f", "rawvideo", "-")
	out := tool(t, "ffmpeg", args...)
	if len(out) != 4 {
		t.Fatalf("ffmpeg decodes %d bytes, want 4", len(out))
	}
	return color.NRGBA{out[0], out[1], out[2], out[3]}
}

// near reports whether no channel of two colours differs by more than limit.
func near(a, b color.NRGBA, limit int) bool {
	for _, pair := range [][2]uint8{{a.R, b.R}, {a.G, b.G}, {a.B, b.B}, {a.A, b.A}} {
		if d := int(pair[0]) - int(pair[1]); d > limit || d < -limit {
			return false
		}
	}
	return true
}

// Encoding and decoding keep colours and transparency.
func TestColours(t *testing.T) {
	colours := []color.NRGBA{
		{0x33, 0x66, 0xcc, 0x80}, {0xff, 0, 0, 0xff}, {0, 0xff, 0, 0x40},
		{0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 0xff}, {0x80, 0x80, 0x80, 0x10},
	}
	var list [][]byte
	for _, c := range colours {
		list = append(list, solid(t, c))
	}
	for _, codec := range []string{"libx264", "libx265", "libsvtav1", "libvpx-vp9", "prores_ks", "png"} {
		for _, transparent := range []bool{false, true} {
			c := configOf(codec)
			c.Transparent, c.GOP = transparent, 1
			if codec == "prores_ks" {
				c.Preset = "hq"
			}
			if Check(c) != nil {
				continue // the codec does not support transparency
			}
			out := filepath.Join(t.TempDir(), "out")
			join(t, c, list, out, 3, 3)
			args := append(decoder(c), "-i", out, "-vf", onePixel, "-fps_mode", "passthrough", "-f", "rawvideo", "-")
			decoded := tool(t, "ffmpeg", args...)
			if len(decoded) != 4*len(colours) {
				t.Fatalf("%s: ffmpeg decodes %d bytes, want %d", codec, len(decoded), 4*len(colours))
			}
			for n, want := range colours {
				if !transparent {
					want.A = 0xff
				}
				got := color.NRGBA{decoded[4*n], decoded[4*n+1], decoded[4*n+2], decoded[4*n+3]}
				if !near(got, want, 3) {
					t.Errorf("%s: the colour is %v, want %v", codec, got, want)
				}
			}
		}
	}
}

// YUV outputs have the tags of BT.709.
func TestColourTags(t *testing.T) {
	for _, codec := range []string{"libx264", "libx265", "libsvtav1", "libvpx-vp9", "prores_ks"} {
		c, out := configOf(codec), filepath.Join(t.TempDir(), "out")
		join(t, c, moving(t, t.TempDir(), 2, opaque), out, 1, 1)
		got := string(tool(t, "ffprobe", "-of", "compact=p=0:nk=1",
			"-show_entries", "stream=color_range,color_space,color_transfer,color_primaries", out))
		if want := "tv|bt709|bt709|bt709\n"; got != want {
			t.Errorf("%s: ffprobe prints %q, want %q", codec, got, want)
		}
	}
}

// Each preset of ProRes has its own profile. A preset with alpha keeps it.
func TestProResProfiles(t *testing.T) {
	for preset, want := range map[string]string{
		"proxy": "apco|yuv422p10le\n", "lt": "apcs|yuv422p10le\n",
		"standard": "apcn|yuv422p10le\n", "hq": "apch|yuv422p10le\n",
		"4444": "ap4h|yuva444p12le\n", "4444xq": "ap4x|yuva444p12le\n",
	} {
		c, out := configOf("prores_ks"), filepath.Join(t.TempDir(), "out.mov")
		c.Preset, c.Transparent = preset, strings.HasPrefix(preset, "4444")
		filter := opaque
		if c.Transparent {
			filter = half
		}
		encode(t, c, moving(t, t.TempDir(), 2, filter), out)
		got := string(tool(t, "ffprobe", "-show_entries", "stream=codec_tag_string,pix_fmt",
			"-of", "compact=p=0:nk=1", out))
		if got != want {
			t.Errorf("%s: ffprobe prints %q, want %q", preset, got, want)
		}
		if !c.Transparent {
			continue
		}
		// An alpha of 0x80 is 0x808 in 12 bits, with the rounding error of 10 bits.
		alpha := tool(t, "ffmpeg", "-i", out, "-vf", "alphaextract,format=gray12le", "-f", "rawvideo", "-")
		for i := 0; i < len(alpha); i += 2 {
			if a := int(alpha[i]) | int(alpha[i+1])<<8; a < 0x804 || a > 0x80c {
				t.Fatalf("%s: the alpha is %#x, want 0x808", preset, a)
			}
		}
	}
}

// The encoders respect the bit rate, within a factor of two.
func TestBitrate(t *testing.T) {
	for _, codec := range []string{"libx264", "libx265", "libsvtav1", "libvpx-vp9"} {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			list := moving(t, dir, 60, opaque)
			var sizes []int64
			for _, rate := range []int64{100_000, 400_000} {
				c, out := configOf(codec), filepath.Join(dir, strconv.FormatInt(rate, 10))
				c.Bitrate, c.FPS = rate, job.Rate{Num: 30, Den: 1}
				encode(t, c, list, out)
				info, err := os.Stat(out)
				if err != nil {
					t.Fatal(err)
				}
				sizes = append(sizes, info.Size()*8/2)
			}
			if sizes[0] < 50_000 || sizes[0] > 200_000 || sizes[1] < sizes[0]*3/2 || sizes[1] > 800_000 {
				t.Errorf("at 100 and 400 kbit/s, the videos have %d bit/s", sizes)
			}
		})
	}
}
