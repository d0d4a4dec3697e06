package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// copyPages copies the pages into a temporary folder, and makes the media that they show.
func copyPages(ctx context.Context, dir string) ([]string, error) {
	pages, err := filepath.Glob("bench/pages/*.html")
	if err != nil || len(pages) == 0 {
		return nil, fmt.Errorf("bench/pages is not there; run from the top of the repository")
	}
	for i, page := range pages {
		data, err := os.ReadFile(page)
		if err != nil {
			return nil, err
		}
		pages[i] = filepath.Join(dir, filepath.Base(page))
		if err := os.WriteFile(pages[i], data, 0o666); err != nil {
			return nil, err
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	clip, still := in("clip.mp4"), in("still.png")
	for _, args := range [][]string{
		{"-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30:d=10", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", clip},
		{"-i", clip, "-frames:v", "1", still},
		{"-f", "lavfi", "-i", "sine=f=110:d=10", in("low.wav")},
		{"-f", "lavfi", "-i", "sine=f=440:d=10", in("middle.wav")},
		{"-f", "lavfi", "-i", "sine=f=1760:d=2", in("high.wav")},
	} {
		if out, err := exec.CommandContext(ctx, "ffmpeg", append([]string{"-nostdin", "-v", "error"}, args...)...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("making the media of the pages: %w: %s", err, out)
		}
	}
	return pages, nil
}
