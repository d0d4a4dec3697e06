package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"helios/shared/capture"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/render"
	"helios/shared/store"
)

// benchPlan plans a job of 10,000 partitions.
func benchPlan(out io.Writer) error {
	m, err := measure(func() error {
		_, err := plan.New(plan.Options{Config: job.Config{Input: "page.html", Duration: job.SecondsOf(24 * time.Hour), FPS: job.Rate{Num: 60, Den: 1}}, Concurrency: job.MaxPartitions})
		return err
	})
	fmt.Fprintf(out, "\tplan %d partitions\t%d ms wall\t%d ms CPU\t\n", job.MaxPartitions, m.wall.Milliseconds(), m.cpu.Milliseconds())
	return err
}

// stitchBytes is about how much benchStitch stitches.
const stitchBytes = 512 << 20

// benchStitch stitches big chunks, and copies as much with cp.
func benchStitch(ctx context.Context, out io.Writer, dir string) error {
	spec, err := plan.New(plan.Options{Config: job.Config{
		Input: "noise", Width: 1920, Height: 1080, FrameCount: 30, Preset: "ultrafast",
		Quality: new(int), Capture: job.CaptureScreenshot,
	}})
	if err != nil {
		return err
	}
	noise, err := noisePNG(ctx)
	if err != nil {
		return err
	}
	list := slices.Repeat([]capture.Frame{{PNG: noise}}, int(spec.Config.FrameCount))
	chunk := filepath.Join(dir, "chunk.mp4")
	if err := encodeAll(ctx, spec.Config, list, chunk); err != nil {
		return err
	}
	info, err := os.Stat(chunk)
	if err != nil {
		return err
	}
	var inputs []render.Input
	for size := int64(0); size < stitchBytes; size += info.Size() {
		name := fmt.Sprintf("chunk.%04d.mp4", len(inputs))
		if err := exec.CommandContext(ctx, "cp", chunk, filepath.Join(dir, name)).Run(); err != nil {
			return err
		}
		inputs = append(inputs, render.Input{Name: name})
	}
	output := filepath.Join(dir, "stitched.mp4")
	stitch, err := measure(func() error {
		return render.Merge(ctx, store.Dir(dir), inputs, output, render.MergeOptions{Overwrite: true})
	})
	if err != nil {
		return err
	}
	again := filepath.Join(dir, "copied.mp4")
	// Merge syncs its output, so cp does, too.
	cp, err := measure(func() error {
		return exec.CommandContext(ctx, "sh", "-c", `cp "$0" "$1" && sync "$1"`, output, again).Run()
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\tstitch %d MB\t%d ms wall\t%d ms CPU\tcp and sync: %d ms, ratio %.2f\t\n", stitchBytes>>20,
		stitch.wall.Milliseconds(), stitch.cpu.Milliseconds(), cp.wall.Milliseconds(), cp.wall.Seconds()/stitch.wall.Seconds())
	return nil
}

// noisePNG returns an image that no encoder can make small.
func noisePNG(ctx context.Context) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "1920x1080", "-i", "-", "-f", "image2pipe", "-c:v", "png", "-")
	cmd.Stdin = io.LimitReader(rand.Reader, 1920*1080*3)
	return cmd.Output()
}
