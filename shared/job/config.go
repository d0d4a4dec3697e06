package job

import (
	"encoding/json"
	"math"
	"slices"
)

// Config contains the settings of a render. [Settings] describes each of them.
//
// A job spec contains the final value of each setting, so all runners capture the same frames. In the options of a
// plan, a zero value means that the setting is left out. Then the planner chooses its value.
type Config struct {
	// Input is the composition: an HTML file or a folder with an index.html, absolute or relative to the job file, or
	// a URL. Paths contain slashes.
	Input string `json:"input"`
	// Output is the file that merge writes, absolute or relative to the job file.
	Output string `json:"output,omitempty"`
	// Format is the file format of Output.
	Format Format `json:"format,omitempty"`
	// Width and Height are the size of the page in CSS pixels.
	Width  int `json:"width,omitempty"`
	Height int `json:"height,omitempty"`
	// Scale is the number of pixels per CSS pixel in each direction. Chromium supports 0.5 and more.
	Scale float64 `json:"scale,omitempty"`
	// Transparent keeps the background of the page transparent.
	Transparent bool `json:"transparent,omitempty"`
	// FPS is the frame rate.
	FPS Rate `json:"fps,omitzero"`
	// Duration is the length of the output. In a spec, FrameCount equals [Frames] of it. If FrameCount is given, the
	// planner sets Duration to its [Length].
	Duration Seconds `json:"duration,omitzero"`
	// StartFrame is the first frame of the output, counted from the start of the composition.
	StartFrame int64 `json:"startFrame"`
	// FrameCount is the number of frames of the output. In the options of a plan, it overrides Duration. The last frame
	// ends within [MaxLength] of the start of the composition.
	FrameCount int64 `json:"frameCount,omitempty"`
	// VideoCodec and AudioCodec are names of ffmpeg encoders.
	VideoCodec string `json:"videoCodec,omitempty"`
	AudioCodec string `json:"audioCodec,omitempty"`
	// Quality is the quality parameter of the video encoder. For most it is the constant rate factor (CRF): lower is
	// better, 0 is lossless for libx264. For JPEG and WebP higher is better. A spec always has a quality.
	Quality *int `json:"quality,omitempty"`
	// Bitrate is the average number of bits per second of the video. It overrides Quality.
	Bitrate int64 `json:"bitrate,omitempty"`
	// GOP is the maximum number of frames between key frames; 0 is two seconds.
	GOP int `json:"gop,omitempty"`
	// BitDepth is the number of bits per colour channel, 8 or 10; 0 is the encoder's default.
	BitDepth int `json:"bitDepth,omitempty"`
	// Loop is the number of times that an animated image plays; 0 is endless.
	Loop int `json:"loop,omitempty"`
	// Preset is the encoder's trade-off between speed and size, such as "veryfast".
	Preset string `json:"preset,omitempty"`
	// AudioBitrate is the number of bits per second of the sound; 0 is the encoder's default.
	AudioBitrate int64 `json:"audioBitrate,omitempty"`
	// Loudness is the integrated loudness in LUFS to which the sound is normalized; 0 leaves the sound unchanged.
	Loudness float64 `json:"loudness,omitempty"`
	// SeekMode is how a partition reaches its first frame.
	SeekMode SeekMode `json:"seekMode,omitempty"`
	// Capture is the capture mode of all partitions.
	Capture Capture `json:"capture,omitempty"`
	// Seed seeds Math.random in the page, in every partition.
	Seed uint32 `json:"seed"`
	// Props is the JSON object in the page's window.__HELIOS_PROPS__. Every partition's command contains it, so it must
	// be smaller than about 100 kB.
	Props json.RawMessage `json:"props,omitempty"`
	// AllowMissingAssets turns a missing image, font or script from an error into a warning.
	AllowMissingAssets bool `json:"allowMissingAssets,omitempty"`
	// Timeout is the maximum time for loading the page and for each frame.
	Timeout Seconds `json:"timeout,omitzero"`
}

// SeekMode is how a partition reaches its first frame.
type SeekMode string

const (
	// SeekReplay runs every earlier frame without capturing it. It is correct for every page.
	SeekReplay SeekMode = "replay"
	// SeekDirect moves the page's clock to the first frame at once. It is correct for seekable pages: those whose
	// frames depend only on the time.
	SeekDirect SeekMode = "direct"
	// SeekAuto is [SeekDirect] for seekable pages and [SeekReplay] for others. Specs never contain it.
	SeekAuto SeekMode = "auto"
)

// IsAuto reports whether the mode is [SeekAuto] or left out.
func (m SeekMode) IsAuto() bool { return m == "" || m == SeekAuto }

// Capture is a capture mode. The planner chooses it by the output format. It does not depend on the page.
type Capture string

const (
	// CaptureStream reads the raw frames of Chromium's compositor: opaque, YUV 4:2:0, 8 bits.
	CaptureStream Capture = "stream"
	// CaptureScreenshot takes a PNG of each frame. It supports every output.
	CaptureScreenshot Capture = "screenshot"
	// CaptureAuto is the mode that [Config.BestCapture] returns. Specs never contain it.
	CaptureAuto Capture = "auto"
)

// IsAuto reports whether the mode is [CaptureAuto] or left out.
func (c Capture) IsAuto() bool { return c == "" || c == CaptureAuto }

// subsampled are the encoders that encode 4:2:0: half the colour resolution in both directions.
var subsampled = []string{"libx264", "libx265", "libsvtav1", "libvpx-vp9"}

// BestCapture returns [CaptureStream] if the output is opaque, 4:2:0, with 8 bits and an even width and height, and
// [CaptureScreenshot] otherwise.
func (c *Config) BestCapture() Capture {
	width, height := c.Pixels()
	if slices.Contains(subsampled, c.VideoCodec) && !c.Transparent && (c.BitDepth == 0 || c.BitDepth == 8) &&
		width%2 == 0 && height%2 == 0 {
		return CaptureStream
	}
	return CaptureScreenshot
}

// Pixels returns the size of a frame in pixels, rounded up as Chromium does.
func (c *Config) Pixels() (width, height int) {
	scaled := func(side int) int { return int(math.Ceil(float64(side)*c.Scale - 1e-3)) }
	return scaled(c.Width), scaled(c.Height)
}
