package encode

import (
	"path/filepath"
	"testing"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/job"
)

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(*job.Config)
		want string // "" for no error
	}{
		{"x264", func(c *job.Config) {}, ""},
		{"x265", func(c *job.Config) { c.VideoCodec = "libx265" }, ""},
		{"lossless", func(c *job.Config) { c.Quality = 0 }, ""},
		{"the worst", func(c *job.Config) { c.Quality = 51 }, ""},
		{"worse", func(c *job.Config) { c.Quality = 52 }, "the quality of libx264 is a CRF from 0 to 51, got 52"},
		{"unknown codec", func(c *job.Config) { c.VideoCodec = "prores" }, `the video codec "prores" is none of libx264, libx265`},
		{"no codec", func(c *job.Config) { c.VideoCodec = "" }, `the video codec "" is none of libx264, libx265`},
		{"unknown sound", func(c *job.Config) { c.AudioCodec = "mp3" }, `the audio codec "mp3" is none of aac`},
		{"odd width", func(c *job.Config) { c.Width = 65 }, "libx264 with yuv420p needs an even width and height, got 65x36; use 66x36"},
		{"odd height", func(c *job.Config) { c.Height, c.VideoCodec = 35, "libx265" }, "libx265 with yuv420p needs an even width and height, got 64x35; use 64x36"},
		{"unknown preset", func(c *job.Config) { c.Preset = "warp" }, `libx264 has no preset "warp"; use one of ultrafast, superfast, veryfast, faster, fast, medium, slow, slower, veryslow, placebo`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config()
			test.set(&c)
			err := Check(c)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || err.Error() != test.want || fault.Of(err) != fault.User):
				t.Errorf("the error is %v, want %s", err, test.want)
			}
			// What Check refuses is never started.
			if _, err := Start(t.Context(), c, "", filepath.Join(t.TempDir(), "gone", "out.mp4")); test.want != "" && err == nil {
				t.Error("Start takes what Check refuses")
			}
		})
	}
}

// Every preset that we offer, the encoders know.
func TestPresets(t *testing.T) {
	list := frames(t, 1, 64, 36)
	for _, codec := range Codecs() {
		for _, preset := range Presets() {
			c := config()
			c.VideoCodec, c.Preset = codec, preset
			encode(t, c, list, filepath.Join(t.TempDir(), "out.mp4"))
		}
	}
}

func TestEncoders(t *testing.T) {
	path, err := ffmpeg.Find()
	if err != nil {
		t.Fatal(err)
	}
	has, err := Encoders(t.Context(), path)
	if err != nil || len(has) != len(Codecs()) {
		t.Errorf("the encoders are %v, %v", has, err)
	}
}
