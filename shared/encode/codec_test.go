package encode

import (
	"path/filepath"
	"testing"

	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/job"
)

func TestCheck(t *testing.T) {
	const transparent = "use .webm with libvpx-vp9, .mov with prores_ks, .webp, .apng, .gif or a folder of PNG files"
	const all = "apng, gif, libsvtav1, libvpx-vp9, libwebp_anim, libx264, libx265, mjpeg, png, prores_ks"
	for _, test := range []struct {
		name string
		set  func(*job.Config)
		want string // "" for no error
	}{
		{"x264", func(c *job.Config) {}, ""},
		{"x265", func(c *job.Config) { c.VideoCodec = "libx265" }, ""},
		{"lossless", func(c *job.Config) { c.Quality = new(0) }, ""},
		{"lowest quality", func(c *job.Config) { c.Quality = new(51) }, ""},
		{"lower than the lowest quality", func(c *job.Config) { c.Quality = new(52) },
			"the quality of libx264 is a CRF from 0 to 51, got 52"},
		{"unknown codec", func(c *job.Config) { c.VideoCodec = "prores" },
			`the video codec "prores" is not supported; use ` + all},
		{"no codec", func(c *job.Config) { c.VideoCodec = "" }, `the video codec "" is not supported; use ` + all},
		{"unknown format", func(c *job.Config) { c.Format = "avi" },
			`the format "avi" is not supported; use mp4, mov, webm, gif, webp, apng, png, jpeg`},
		{"format that cannot contain it", func(c *job.Config) { c.Format = job.WebM },
			"webm cannot contain libx264; use libsvtav1, libvpx-vp9"},
		{"unknown audio codec", func(c *job.Config) { c.AudioCodec = "mp3" },
			`the audio codec "mp3" is not supported; use aac, flac, libmp3lame, libopus, pcm_s16le, pcm_s24le`},
		{"audio codec that the format cannot contain", func(c *job.Config) { c.AudioCodec = "pcm_s16le" },
			"mp4 cannot contain pcm_s16le; use aac, flac, libmp3lame, libopus"},
		{"10 bits", func(c *job.Config) { c.BitDepth = 10 }, ""},
		{"12 bits", func(c *job.Config) { c.BitDepth = 12 },
			"libx264 does not support 12 bits per channel; leave the bit depth out"},
		{"a bit rate", func(c *job.Config) { c.Bitrate, c.Quality = 1e6, new(60) }, ""},
		{"transparent", func(c *job.Config) { c.Transparent = true },
			"mp4 with libx264 does not support transparency; " + transparent},
		{"AV1", func(c *job.Config) { *c = configOf("libsvtav1"); c.Format, c.AudioCodec = job.WebM, "libopus" }, ""},
		{"small AV1", func(c *job.Config) { *c = configOf("libsvtav1"); c.Height = 62 },
			"libsvtav1 needs at least 64x64 pixels, got 64x62; use another video codec"},
		{"odd AV1", func(c *job.Config) { *c = configOf("libsvtav1"); c.Scale = 1.01 },
			"libsvtav1 with yuv420p needs an even width and height, got 65x65; use 66x66"},
		{"lossless AV1", func(c *job.Config) { *c = configOf("libsvtav1"); c.Quality = new(0) },
			"the quality of libsvtav1 is a CRF from 1 to 63, got 0"},
		{"odd VP9", func(c *job.Config) { *c = configOf("libvpx-vp9"); c.Width, c.Height = 65, 33 }, ""},
		{"fast WebM", func(c *job.Config) { *c = configOf("libvpx-vp9"); c.FPS = job.Rate{Num: 1000, Den: 1} },
			"webm supports less than 1000 frames per second, got 1000; use a lower rate or .mp4"},
		{"transparent VP9", func(c *job.Config) { *c = configOf("libvpx-vp9"); c.Transparent = true }, ""},
		{"transparent VP9 with 10 bits", func(c *job.Config) {
			*c = configOf("libvpx-vp9")
			c.Transparent, c.BitDepth = true, 10
		},
			"libvpx-vp9 does not support transparency with 10 bits per channel; leave the bit depth out"},
		{"ProRes", func(c *job.Config) { *c = configOf("prores_ks"); c.Width, c.Height = 65, 33 }, ""},
		{"transparent ProRes", func(c *job.Config) { *c = configOf("prores_ks"); c.Transparent, c.Preset = true, "hq" },
			""},
		{"transparent ProRes 422", func(c *job.Config) {
			*c = configOf("prores_ks")
			c.Transparent, c.Preset = true, "lt"
		},
			"the preset lt of prores_ks does not support transparency; use 4444 or 4444xq"},
		{"ProRes with 8 bits", func(c *job.Config) { *c = configOf("prores_ks"); c.BitDepth = 8 },
			"prores_ks does not support 8 bits per channel; leave the bit depth out"},
		{"ProRes with a quality", func(c *job.Config) { *c = configOf("prores_ks"); c.Quality = new(18) },
			"prores_ks does not support a quality; leave it out"},
		{"ProRes with a bit rate", func(c *job.Config) { *c = configOf("prores_ks"); c.Bitrate = 1e6 },
			"prores_ks does not support a bit rate; leave it out"},
		{"transparent JPEG", func(c *job.Config) { *c = configOf("mjpeg"); c.Transparent = true },
			"jpeg with mjpeg does not support transparency; " + transparent},
		{"JPEG", func(c *job.Config) { *c = configOf("mjpeg"); c.Quality = new(101) },
			"the quality of mjpeg is a number from 0 to 100, got 101"},
		{"fast GIF", func(c *job.Config) { *c = configOf("gif"); c.FPS = job.Rate{Num: 60, Den: 1} },
			"gif supports at most 50 frames per second, got 60; use a lower rate or .webp"},
		{"GIF", func(c *job.Config) { *c = configOf("gif"); c.FPS = job.Rate{Num: 50, Den: 1}; c.Width = 33 }, ""},
		{"odd width", func(c *job.Config) { c.Width = 65 },
			"libx264 with yuv420p needs an even width and height, got 65x36; use 66x36"},
		{"odd height", func(c *job.Config) { c.Height, c.VideoCodec = 35, "libx265" },
			"libx265 with yuv420p needs an even width and height, got 64x35; use 64x36"},
		{"unknown preset", func(c *job.Config) { c.Preset = "warp" },
			`libx264 has no preset "warp"; use one of ultrafast, superfast, veryfast, faster, fast, medium, slow, ` +
				"slower, veryslow, placebo"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config()
			test.set(&c)
			err := Check(c)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || err.Error() != test.want || fault.Of(err) != fault.User):
				t.Errorf("Check() = %v, want %s", err, test.want)
			}
			out := filepath.Join(t.TempDir(), "missing", "out.mp4")
			if _, err := Start(t.Context(), c, "", out); test.want != "" && err == nil {
				t.Error("Start() accepts the settings")
			}
		})
	}
}

// The encoders support each of their presets.
func TestPresets(t *testing.T) {
	list := frames(t, 1, 64, 64)
	for _, codec := range Codecs() {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			for _, preset := range PresetsOf(codec) {
				c := configOf(codec)
				c.Preset = preset
				encode(t, c, list, filepath.Join(t.TempDir(), "out.mp4"))
			}
		})
	}
}

func TestEncoders(t *testing.T) {
	path, err := ffmpeg.Find()
	if err != nil {
		t.Fatal(err)
	}
	has, err := Encoders(t.Context(), path)
	if err != nil || len(has) != len(Codecs()) {
		t.Errorf("Encoders() = %v, %v, want all", has, err)
	}
}
