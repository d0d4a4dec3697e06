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

	"helios/shared/capture"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/render"
	"helios/shared/store"
)

// mergeBytes is the least total size of the chunks that benchMerge merges.
const mergeBytes = 512 << 20

// benchMerge merges large chunks, and copies the output with cp for comparison.
func benchMerge(ctx context.Context, out io.Writer, dir string) error {
	inputs, err := largeChunks(ctx, dir)
	if err != nil {
		return err
	}
	output := filepath.Join(dir, "merged.mp4")
	merge, err := measure(func() error {
		return render.Merge(ctx, store.Dir(dir), inputs, output, render.MergeOptions{Overwrite: true})
	})
	if err != nil {
		return err
	}
	// sync, because Merge also syncs its output.
	cp, err := measure(func() error {
		copied := filepath.Join(dir, "copied.mp4")
		return exec.CommandContext(ctx, "sh", "-c", `cp "$0" "$1" && sync "$1"`, output, copied).Run()
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\tmerge %d MB\t%d ms wall\t%d ms CPU\tcp and sync: %d ms, ratio %.2f\t\n", mergeBytes>>20,
		merge.wall.Milliseconds(), merge.cpu.Milliseconds(), cp.wall.Milliseconds(), cp.wall.Seconds()/merge.wall.Seconds())
	return nil
}

// largeChunks writes copies of one chunk of noise to dir.
func largeChunks(ctx context.Context, dir string) ([]render.Input, error) {
	spec, err := plan.New(plan.Options{Config: job.Config{
		Input: "noise", Width: 1920, Height: 1080, FrameCount: 30, Preset: "ultrafast",
		Quality: new(int), Capture: job.CaptureScreenshot,
	}})
	if err != nil {
		return nil, err
	}
	noise, err := noisePNG(ctx)
	if err != nil {
		return nil, err
	}
	frames := slices.Repeat([]capture.Frame{{PNG: noise}}, int(spec.Config.FrameCount))
	chunk := filepath.Join(dir, "chunk.mp4")
	if err := encodeAll(ctx, spec.Config, frames, chunk); err != nil {
		return nil, err
	}
	info, err := os.Stat(chunk)
	if err != nil {
		return nil, err
	}
	var inputs []render.Input
	for size := int64(0); size < mergeBytes; size += info.Size() {
		name := fmt.Sprintf("chunk.%04d.mp4", len(inputs))
		if err := exec.CommandContext(ctx, "cp", chunk, filepath.Join(dir, name)).Run(); err != nil {
			return nil, err
		}
		inputs = append(inputs, render.Input{Name: name})
	}
	return inputs, nil
}

// noisePNG returns an image of random pixels, which no encoder can compress.
func noisePNG(ctx context.Context) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "1920x1080",
		"-i", "-", "-f", "image2pipe", "-c:v", "png", "-")
	cmd.Stdin = io.LimitReader(rand.Reader, 1920*1080*3)
	return cmd.Output()
}
