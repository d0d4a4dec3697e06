package encode

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"helios/shared/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config returns the default config of the tests: 5 frames per second, GOPs of 10 frames.
func config() job.Config {
	return job.Config{
		Format: job.MP4, Scale: 1,
		Width: 64, Height: 36, FPS: job.Rate{Num: 5, Den: 1},
		VideoCodec: "libx264", AudioCodec: "aac", Quality: new(18), Preset: "ultrafast",
	}
}

// configOf returns config for an encoder, with its first format and its fastest preset.
func configOf(codec string) job.Config {
	c := config()
	c.Height = 64
	c.Format, c.VideoCodec, c.Preset = codecs[codec].formats[0], codec, codecs[codec].presets[0]
	if codecs[codec].quality.name == "" {
		c.Quality = new(0)
	}
	if c.Format.Video() {
		c.AudioCodec = AudioCodecsOf(c.Format)[0]
	}
	return c
}

// frames returns PNG frames of noise: they differ as much as after a scene cut.
func frames(t *testing.T, n, width, height int) [][]byte {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	list := make([][]byte, n)
	for i := range list {
		pixels := image.NewRGBA(image.Rect(0, 0, width, height))
		for y := range height {
			for x := range width {
				pixels.SetRGBA(x, y, color.RGBA{byteOf(random), byteOf(random), byteOf(random), 255})
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, pixels); err != nil {
			t.Fatal(err)
		}
		list[i] = b.Bytes()
	}
	return list
}

func byteOf(r *rand.Rand) uint8 { return uint8(r.Uint32()) }

// encode encodes frames to a chunk.
func encode(t *testing.T, c job.Config, list [][]byte, out string) {
	t.Helper()
	encodeRepeated(t, c, list, slices.Repeat([]int{1}, len(list)), out)
}

// encodeRepeated encodes frames to a chunk. Frame i is written once and repeated until it lasts shown[i] frames.
func encodeRepeated(t *testing.T, c job.Config, list [][]byte, shown []int, out string) {
	t.Helper()
	e, err := Start(t.Context(), c, "a comment", out)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Abort()
	for i, frame := range list {
		if err := e.WriteFrame(frame); err != nil {
			t.Fatal(err)
		}
		for range shown[i] - 1 {
			e.RepeatFrame()
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}
