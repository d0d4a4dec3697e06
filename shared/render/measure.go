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

// measuredFrames is the number of frames whose time is measured.
const measuredFrames = 12

// Measure inspects a composition for a planner that cannot open the page. It renders the first frames to find out how
// long a frame takes.
func Measure(ctx context.Context, o plan.Options, c capture.Composition) (Inspection, error) {
	return inspectWith(ctx, o, c, measure)
}

func measure(ctx context.Context, b *browser.Browser, o plan.Options, c capture.Composition) (Inspection, error) {
	// The seek mode depends on where the last partition starts. It starts latest if the number of partitions is highest.
	o.Concurrency = job.MaxPartitions
	spec, err := planJob(ctx, b, o, c)
	if err != nil {
		return Inspection{}, err
	}
	config := spec.Config
	i := Inspection{
		Width: config.Width, Height: config.Height, FPS: config.FPS, Duration: config.Duration,
		SeekMode: config.SeekMode, Revision: revision(spec.Files),
	}
	if spec.Audio != nil {
		i.Tracks = spec.Audio.Tracks
	}
	dir, err := tempfile.MkdirTemp("")
	if err != nil {
		return Inspection{}, err
	}
	defer dir.Remove()
	out := filepath.Join(dir.Path(), filepath.Base(spec.Partitions[0].OutputFile))
	frame, err := frameTime(ctx, b, c, config, out, min(measuredFrames, config.FrameCount))
	if err != nil {
		return Inspection{}, err
	}
	i.FrameMS = float64(frame.Microseconds()) / 1000
	if i.SeekMode == job.SeekDirect {
		return i, nil
	}
	replay, err := replayTime(ctx, b, c, config)
	i.ReplayMS = float64(replay.Microseconds()) / 1000
	return i, err
}

// frameTime draws the first frames, encodes them to the file out, and returns the time per frame.
func frameTime(
	ctx context.Context, b *browser.Browser, c capture.Composition, config job.Config, out string, frames int64,
) (time.Duration, error) {
	encoder, err := encode.Start(ctx, config, "", out)
	if err != nil {
		return 0, err
	}
	defer encoder.Abort()
	player, err := capture.Open(ctx, b, c, CaptureOptions(config))
	if err != nil {
		return 0, err
	}
	defer player.Close()
	start := time.Now()
	err = player.Play(ctx, 0, frames, job.SeekReplay, func(f capture.Frame) error { return encoder.WriteFrame(f.Data()) })
	if err == nil {
		err = encoder.Close()
	}
	if err != nil {
		return 0, fmt.Errorf("measuring the first frames: %w", err)
	}
	return time.Since(start) / time.Duration(frames), nil
}

// replayTime replays the first frames and returns the time per frame.
func replayTime(
	ctx context.Context, b *browser.Browser, c capture.Composition, config job.Config,
) (time.Duration, error) {
	player, err := capture.Open(ctx, b, c, CaptureOptions(config))
	if err != nil {
		return 0, err
	}
	defer player.Close()
	start := time.Now()
	err = player.Play(ctx, measuredFrames, 0, job.SeekReplay, func(capture.Frame) error { return nil })
	return time.Since(start) / measuredFrames, err
}

// revision returns a digest of file digests.
func revision(files map[string]string) string {
	if len(files) == 0 {
		return ""
	}
	text, err := json.Marshal(files) // sorted by name
	if err != nil {
		panic(err) // strings always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
