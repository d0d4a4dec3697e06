package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"path"
	"strings"

	"helios/shared/addr"
	"helios/shared/job"
)

// Options are the input of a plan.
type Options struct {
	// Config contains the settings. Settings that are left out get defaults, some of which depend on others: the
	// default codec depends on the format. Input and Output are paths with slashes, absolute or relative to the job
	// file, or URLs. Either Duration or FrameCount is required.
	job.Config

	// BaseURL is the http, https or s3 URL of the folder from which runners load a local Input. It does not affect an
	// Input that is a URL.
	BaseURL string `json:"-"`
	// Concurrency is the number of partitions, up to [job.MaxPartitions]. If there are too few frames, the plan has
	// fewer. Default: 1.
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

// config returns the complete settings.
func (o Options) config() (job.Config, error) {
	c := withDefaults(o.Config)
	if c.Format == "" {
		return job.Config{}, errFormat(c.Output)
	}
	var err error
	if c.Input, err = o.Composition(); err != nil {
		return job.Config{}, err
	}
	// Callers can construct an invalid rate, and length divides by the rate.
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

// errFormat returns the error for an output whose suffix does not select a format.
func errFormat(output string) error {
	const remedy = "use .mp4, .mov, .webm, .gif, .webp, .apng or .zip, or a folder with a slash at the end"
	if suffix := path.Ext(output); suffix != "" {
		return job.Errorf("output", "%s is not supported; %s", suffix, remedy)
	}
	return job.Errorf("output", "%q has no suffix; %s", output, remedy)
}

// HasSound reports whether the output may have sound.
func (o Options) HasSound() bool {
	f := cmp.Or(o.Format, job.FormatOf(o.Output))
	return !o.Mute && (f == "" || f.Video())
}

// tracks returns the tracks of the output. Images have none.
func (o Options) tracks() []job.Track {
	if !o.HasSound() {
		return nil
	}
	return o.Tracks
}

// length returns the number of frames and the duration.
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
			"is unknown; use --duration or --frame-count, or set data-duration on the page's <html>")
	}
	return job.Frames(o.Duration, fps), o.Duration, nil
}

// Composition returns the address of the composition for runners: Input, or its address below BaseURL.
func (o Options) Composition() (string, error) {
	if o.Input == "" {
		return "", job.Errorf("input", "is missing; use an HTML file, a folder with an index.html, or a URL")
	}
	if o.BaseURL == "" || addr.IsRemote(o.Input) {
		return o.Input, nil
	}
	base, err := url.Parse(o.BaseURL)
	if err != nil || !addr.IsRemote(o.BaseURL) || base.Host == "" {
		return "", job.Errorf("baseUrl",
			"%q is not a URL; use one such as https://example.com/compositions/", o.BaseURL)
	}
	name := path.Base(o.Input)
	if name == "." || name == ".." || name == "/" {
		return "", job.Errorf("input", "%q has no name to join to the base URL; name the file or folder", o.Input)
	}
	slash := ""
	if strings.HasSuffix(o.Input, "/") {
		slash = "/"
	}
	if addr.IsS3(o.BaseURL) {
		return strings.TrimSuffix(o.BaseURL, "/") + "/" + name + slash, nil // keys are not escaped
	}
	name = url.PathEscape(name) + slash
	return base.JoinPath(name).String(), nil
}

// props returns the props without insignificant space, so that equal props result in equal jobs.
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
