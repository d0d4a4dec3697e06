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

// Options are the input of a plan. A setting that is left out gets a default that depends on the others, such as the
// codec of the format.
type Options struct {
	// Config contains the settings. Input and Output are paths with slashes, absolute or relative to the job file, or
	// URLs. Either Duration or FrameCount is required.
	job.Config

	// BaseURL is the http, https or s3 URL of the folder where runners find a local Input. An Input that is a URL is
	// not changed.
	BaseURL string `json:"-"`
	// Concurrency is the number of partitions, up to [job.MaxPartitions]. There are fewer if there are too few frames.
	// Default: 1.
	Concurrency int `json:"concurrency,omitempty"`
	// Tracks are the sound; without tracks the output is silent.
	Tracks []job.Track `json:"tracks,omitempty"`
	// Mute removes all sound.
	Mute bool `json:"mute,omitempty"`
	// Files are the files of a local composition with their digests, as in [job.Spec]. The job id depends on them.
	Files map[string]string `json:"-"`
	// Revision identifies the state of a composition at a URL. The job id depends on it.
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

func (o Options) withDefaults() job.Config {
	c := o.Config
	setDefault(&c.Output, "output.mp4")
	setDefault(&c.Format, job.FormatOf(c.Output))
	setDefault(&c.Scale, 1)
	setDefault(&c.Width, DefaultWidth)
	setDefault(&c.Height, DefaultHeight)
	setDefault(&c.FPS, DefaultFPS)
	video, sound := DefaultCodecs(c.Format)
	setDefault(&c.VideoCodec, video)
	setDefault(&c.AudioCodec, sound)
	preset, quality := DefaultSettings(c.VideoCodec)
	setDefault(&c.Preset, preset)
	setDefault(&c.Quality, &quality)
	setDefault(&c.Timeout, DefaultTimeout)
	if c.SeekMode.IsAuto() {
		c.SeekMode = job.SeekReplay
	}
	if c.Capture.IsAuto() {
		c.Capture = c.BestCapture()
	}
	return c
}

func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

// config returns the complete settings.
func (o Options) config() (job.Config, error) {
	c := o.withDefaults()
	var err error
	if c.Format == "" {
		return job.Config{}, job.Errorf("output", "%q has no suffix of a format: name it .mp4, .mov, .webm, .gif, .webp, .apng or .zip, or end it with a slash for a folder of pictures", c.Output)
	}
	if c.Input, err = o.Composition(); err != nil {
		return job.Config{}, err
	}
	// A rate made by hand may be anything, and what follows divides by it.
	if c.FPS, err = job.NewRate(c.FPS.Num, c.FPS.Den); err != nil {
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
