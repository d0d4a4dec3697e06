package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// copyPages copies bench/pages to dir and creates the media files that the pages contain. It returns the copies.
func copyPages(ctx context.Context, dir string) ([]string, error) {
	pages, err := filepath.Glob("bench/pages/*.html")
	if err != nil || len(pages) == 0 {
		return nil, errors.New("bench/pages does not exist here; run bench in the root of the repository")
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
	for _, args := range [][]string{
		{"-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30:d=10", "-c:v", "libx264", "-preset", "veryfast",
			"-pix_fmt", "yuv420p", in("clip.mp4")},
		{"-i", in("clip.mp4"), "-frames:v", "1", in("still.png")},
		{"-f", "lavfi", "-i", "sine=f=110:d=10", in("low.wav")},
		{"-f", "lavfi", "-i", "sine=f=440:d=10", in("middle.wav")},
		{"-f", "lavfi", "-i", "sine=f=1760:d=2", in("high.wav")},
	} {
		cmd := exec.CommandContext(ctx, "ffmpeg", append([]string{"-nostdin", "-v", "error"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("creating media files: %w: %s", err, out)
		}
	}
	return pages, nil
}
