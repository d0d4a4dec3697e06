package render

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/encode"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/tempfile"
)

// Survey is what has to be known of a composition to plan its render elsewhere, where no page is opened.
type Survey struct {
	// Width, Height, FPS and Duration are those of the options, or else those that the page says.
	Width    int         `json:"width"`
	Height   int         `json:"height"`
	FPS      job.Rate    `json:"fps"`
	Duration job.Seconds `json:"duration"`
	// SeekMode is how partitions reach their first frame.
	SeekMode job.SeekMode `json:"seekMode"`
	// Tracks is the sound.
	Tracks []job.Track `json:"tracks,omitempty"`
	// FrameMS and ReplayMS are the milliseconds that it takes to draw and encode a frame, and to run the page
	// through one without its picture; ReplayMS is 0 when partitions seek directly.
	FrameMS  float64 `json:"frameMs"`
	ReplayMS float64 `json:"replayMs,omitempty"`
	// Revision is the digest of the files that the page loaded, "" when they are not known.
	Revision string `json:"revision,omitempty"`
}

// Pace returns the times that were measured.
func (s Survey) Pace() plan.Pace {
	ms := func(x float64) time.Duration { return time.Duration(x * float64(time.Millisecond)) }
	return plan.Pace{Frame: ms(s.FrameMS), Replay: ms(s.ReplayMS)}
}

// Apply fills in the options that were left out from what the survey found.
func (s Survey) Apply(o *plan.Options) {
	o.Width, o.Height, o.FPS = s.Width, s.Height, s.FPS
	if o.FrameCount == 0 {
		o.Duration = s.Duration
	}
	o.SeekMode, o.Tracks = s.SeekMode, s.Tracks
}

// measured is how many frames are drawn, and how many are replayed, to find out how long one takes.
const measured = 12

// Look surveys a composition: it opens the page, and draws and encodes its first frames.
func Look(ctx context.Context, o plan.Options, c capture.Composition) (s Survey, err error) {
	browsers := NewBrowsers(c, o.Scale)
	defer browsers.Close()
	err = browsers.look(ctx, func(b *browser.Browser) error {
		s, err = survey(ctx, b, o, c)
		return err
	})
	return s, err
}

func survey(ctx context.Context, b *browser.Browser, o plan.Options, c capture.Composition) (Survey, error) {
	// As if each frame were a partition: whatever the plan will be, its last one begins no later.
	o.Concurrency = job.MaxPartitions
	spec, err := prepare(ctx, b, o, c)
	if err != nil {
		return Survey{}, err
	}
	config := spec.Config
	s := Survey{
		Width: config.Width, Height: config.Height, FPS: config.FPS, Duration: config.Duration,
		SeekMode: config.SeekMode, Revision: revision(spec.Files),
	}
	if spec.Audio != nil {
		s.Tracks = spec.Audio.Tracks
	}
	return s, s.measure(ctx, b, c, spec)
}

// measure finds out how long frames take.
func (s *Survey) measure(ctx context.Context, b *browser.Browser, c capture.Composition, spec *job.Spec) error {
	config := spec.Config
	dir, err := tempfile.MkdirTemp("")
	if err != nil {
		return err
	}
	defer dir.Remove()
	drawn, err := drawing(ctx, b, c, config, filepath.Join(dir.Path(), filepath.Base(spec.Partitions[0].OutputFile)), min(measured, config.FrameCount))
	if err != nil {
		return err
	}
	s.FrameMS = float64(drawn.Microseconds()) / 1000
	if s.SeekMode == job.SeekDirect {
		return nil
	}
	replayed, err := replaying(ctx, b, c, config)
	s.ReplayMS = float64(replayed.Microseconds()) / 1000
	return err
}

// drawing draws and encodes frames and returns the time that one took.
func drawing(ctx context.Context, b *browser.Browser, c capture.Composition, config job.Config, file string, frames int64) (time.Duration, error) {
	encoder, err := encode.Start(ctx, config, "", file)
	if err != nil {
		return 0, err
	}
	defer encoder.Abort()
	player, err := capture.Open(ctx, b, c, Options(config))
	if err != nil {
		return 0, err
	}
	defer player.Close()
	begun := time.Now()
	err = player.Play(ctx, 0, frames, job.SeekReplay, func(f capture.Frame) error { return encoder.WriteFrame(f.Data()) })
	if err == nil {
		err = encoder.Close()
	}
	if err != nil {
		return 0, fmt.Errorf("measuring the first frames: %w", err)
	}
	return time.Since(begun) / time.Duration(frames), nil
}

// replaying returns the time that it takes to replay a frame.
func replaying(ctx context.Context, b *browser.Browser, c capture.Composition, config job.Config) (time.Duration, error) {
	player, err := capture.Open(ctx, b, c, Options(config))
	if err != nil {
		return 0, err
	}
	defer player.Close()
	begun := time.Now()
	err = player.Play(ctx, measured, 0, job.SeekReplay, func(capture.Frame) error { return nil })
	return time.Since(begun) / measured, err
}

// revision is the digest of a composition's files.
func revision(files map[string]string) string {
	if len(files) == 0 {
		return ""
	}
	text, err := json.Marshal(files) // in the order of their names
	if err != nil {
		panic(err) // strings are JSON
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
