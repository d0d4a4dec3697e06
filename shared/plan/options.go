package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"path"
	"strings"
	"time"

	"helios/shared/addr"
	"helios/shared/job"
)

// Options is all that a plan depends on. An option that is left out has the default given with it; the
// ranges are those of [job.Config].
type Options struct {
	// Input is the composition, as it shall stand in the spec: a path with slashes, absolute or relative
	// to the job file, or a URL.
	Input string `json:"input"`
	// Output is the video, as it shall stand in the spec: a path like Input's. Default: output.mp4.
	Output string `json:"output,omitempty"`
	// BaseURL is where workers find a local Input that they have no copy of: an http, https or s3 URL to
	// which the name of the file or folder is joined. An Input that is a URL stays.
	BaseURL string `json:"baseUrl,omitempty"`

	// Format is the kind of output. Default: what the suffix of Output stands for.
	Format job.Format `json:"format,omitempty"`
	// Width and Height are the size of the page in CSS pixels. Default: 1920x1080.
	Width  int `json:"width,omitempty"`
	Height int `json:"height,omitempty"`
	// Scale is how many pixels of a frame a CSS pixel takes in each direction. Default: 1.
	Scale float64 `json:"scale,omitempty"`
	// Transparent keeps what the page does not paint transparent.
	Transparent bool `json:"transparent,omitempty"`
	// FPS is the frame rate. Default: 30.
	FPS job.Rate `json:"fps,omitzero"`
	// Duration is the length of the output, rounded up to whole frames. Either it or FrameCount must be
	// given.
	Duration job.Seconds `json:"duration,omitzero"`
	// FrameCount is the number of frames of the output. It wins over Duration.
	FrameCount int64 `json:"frameCount,omitempty"`
	// StartFrame is the first frame of the output, counted from the start of the composition.
	StartFrame int64 `json:"startFrame,omitempty"`

	// Concurrency is the number of partitions, up to [job.MaxPartitions]; there are fewer when there are too
	// few frames for it. Default: 1.
	Concurrency int `json:"concurrency,omitempty"`

	// VideoCodec and AudioCodec are names of ffmpeg's encoders. Default: those of the format, such as libx264
	// and aac for MP4.
	VideoCodec string `json:"videoCodec,omitempty"`
	AudioCodec string `json:"audioCodec,omitempty"`
	// Preset is the encoder's trade of speed against size. Default: that of the encoder, such as veryfast.
	Preset string `json:"preset,omitempty"`
	// Quality is what the encoder calls so. Default: that of the encoder, such as a CRF of 16 for libx264.
	Quality *int `json:"quality,omitempty"`
	// Bitrate, GOP, BitDepth and Loop are as in [job.Config].
	Bitrate  int64 `json:"bitrate,omitempty"`
	GOP      int   `json:"gop,omitempty"`
	BitDepth int   `json:"bitDepth,omitempty"`
	Loop     int   `json:"loop,omitempty"`

	// Tracks is the sound; none makes the output silent.
	Tracks []job.Track `json:"tracks,omitempty"`
	// AudioBitrate and Loudness are as in [job.Config].
	AudioBitrate int64   `json:"audioBitrate,omitempty"`
	Loudness     float64 `json:"loudness,omitempty"`
	// Mute leaves all sound out.
	Mute bool `json:"mute,omitempty"`

	// SeekMode is how a partition reaches its first frame. Default: [job.SeekReplay].
	SeekMode job.SeekMode `json:"seekMode,omitempty"`
	// Capture is the capture mode. Default: [job.CaptureAuto], which is [job.Config.BestCapture].
	Capture job.Capture `json:"capture,omitempty"`
	// Seed seeds Math.random in the page.
	Seed uint32 `json:"seed,omitempty"`
	// Props is the JSON object that the page finds in window.__HELIOS_PROPS__. It stands in every
	// partition's command, so it has to be small: at most about 100 kB.
	Props json.RawMessage `json:"props,omitempty"`
	// AllowMissingAssets turns a missing image, font or script from an error into a warning.
	AllowMissingAssets bool `json:"allowMissingAssets,omitempty"`
	// Timeout is the longest that loading the page, or one frame of it, may take. Default: 30 s.
	Timeout job.Seconds `json:"timeout,omitzero"`

	// Files are the files of a local composition with their digests, as in [job.Spec]. They enter the
	// job's id.
	Files map[string]string `json:"files,omitempty"`
	// Revision tells apart the states of a composition whose address stays. It enters the job's id.
	Revision string `json:"revision,omitempty"`
}

// What a render has when nobody says otherwise.
const (
	DefaultWidth  = 1920
	DefaultHeight = 1080
)

// More of what a render has when nobody says otherwise.
var (
	DefaultFPS     = job.Rate{Num: 30, Den: 1}
	DefaultTimeout = job.SecondsOf(30 * time.Second)
)

func (o Options) withDefaults() Options {
	setDefault(&o.Output, "output.mp4")
	setDefault(&o.Format, job.FormatOf(o.Output))
	setDefault(&o.Scale, 1)
	setDefault(&o.Width, DefaultWidth)
	setDefault(&o.Height, DefaultHeight)
	setDefault(&o.FPS, DefaultFPS)
	video, sound := DefaultCodecs(o.Format)
	setDefault(&o.VideoCodec, video)
	setDefault(&o.AudioCodec, sound)
	preset, quality := DefaultSettings(o.VideoCodec)
	setDefault(&o.Preset, preset)
	setDefault(&o.SeekMode, job.SeekReplay)
	setDefault(&o.Timeout, DefaultTimeout)
	if o.Quality == nil {
		o.Quality = &quality
	}
	return o
}

func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

// config decides everything that the options left open.
func (o Options) config() (job.Config, error) {
	o = o.withDefaults()
	c := job.Config{
		Output:             o.Output,
		Format:             o.Format,
		Width:              o.Width,
		Height:             o.Height,
		Scale:              o.Scale,
		Transparent:        o.Transparent,
		StartFrame:         o.StartFrame,
		VideoCodec:         o.VideoCodec,
		AudioCodec:         o.AudioCodec,
		Quality:            *o.Quality,
		Preset:             o.Preset,
		Bitrate:            o.Bitrate,
		GOP:                o.GOP,
		BitDepth:           o.BitDepth,
		Loop:               o.Loop,
		AudioBitrate:       o.AudioBitrate,
		Loudness:           o.Loudness,
		SeekMode:           o.SeekMode,
		Capture:            o.Capture,
		Seed:               o.Seed,
		AllowMissingAssets: o.AllowMissingAssets,
		Timeout:            o.Timeout,
	}
	if c.Capture == "" || c.Capture == job.CaptureAuto {
		c.Capture = c.BestCapture()
	}
	var err error
	if c.Format == "" {
		return job.Config{}, job.Errorf("output", "%q has no suffix of a format: name it .mp4, .mov, .webm, .gif, .webp, .apng or .zip, or end it with a slash for a folder of pictures", o.Output)
	}
	if c.Input, err = o.Composition(); err != nil {
		return job.Config{}, err
	}
	// A rate made by hand may be anything, and what follows divides by it.
	if c.FPS, err = job.NewRate(o.FPS.Num, o.FPS.Den); err != nil {
		return job.Config{}, job.Errorf("fps", "%v", err)
	}
	if c.FrameCount, c.Duration, err = o.length(c.FPS); err != nil {
		return job.Config{}, err
	}
	if c.Props, err = o.props(); err != nil {
		return job.Config{}, err
	}
	return c, c.Validate()
}

// HasSound reports whether the output may have sound.
func (o Options) HasSound() bool {
	f := cmp.Or(o.Format, job.FormatOf(o.Output))
	return !o.Mute && (f == "" || f.Video())
}

// tracks returns the sound that the output can hold.
func (o Options) tracks() []job.Track {
	if !o.HasSound() {
		return nil
	}
	return o.Tracks
}

func (o Options) length(fps job.Rate) (int64, job.Seconds, error) {
	switch {
	case o.FrameCount < 0:
		return 0, job.Seconds{}, job.Errorf("frameCount", "must be at least 1, got %d", o.FrameCount)
	case o.FrameCount > 0:
		duration, err := job.Length(o.FrameCount, fps)
		if err != nil {
			return 0, job.Seconds{}, job.Errorf("frameCount", "%v", err)
		}
		return o.FrameCount, duration, nil
	case o.Duration.IsZero():
		return 0, job.Seconds{}, job.Errorf("duration",
			"the length is unknown: give --duration or --frame-count, or put data-duration on the page's <html>")
	}
	return job.Frames(o.Duration, fps), o.Duration, nil
}

// Composition returns the input as the workers find it.
func (o Options) Composition() (string, error) {
	if o.Input == "" {
		return "", job.Errorf("input", "is missing: name an HTML file, a folder with an index.html or a URL")
	}
	if o.BaseURL == "" || addr.IsRemote(o.Input) {
		return o.Input, nil
	}
	base, err := url.Parse(o.BaseURL)
	if err != nil || !addr.IsRemote(o.BaseURL) || base.Host == "" {
		return "", job.Errorf("baseUrl", "%q is no web address: give one such as https://example.com/compositions/", o.BaseURL)
	}
	name := path.Base(o.Input)
	if name == "." || name == ".." || name == "/" {
		return "", job.Errorf("input", "%q has no name that could be joined to the base URL; name the file or folder itself", o.Input)
	}
	slash := ""
	if strings.HasSuffix(o.Input, "/") {
		slash = "/"
	}
	if strings.EqualFold(base.Scheme, "s3") {
		return strings.TrimSuffix(o.BaseURL, "/") + "/" + name + slash, nil // keys have no escapes
	}
	name = url.PathEscape(name) + slash
	return base.JoinPath(name).String(), nil
}

// props returns the props without insignificant space: equal props give equal jobs.
func (o Options) props() (json.RawMessage, error) {
	if len(o.Props) == 0 {
		return nil, nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, o.Props); err != nil {
		return nil, job.Errorf("props", "must be a JSON object: %v", err)
	}
	return compact.Bytes(), nil
}
