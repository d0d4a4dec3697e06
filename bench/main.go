// Command bench measures where the time of a render goes. It prints figures and judges nothing: machines
// differ, and so do their moods.
//
//	go run ./bench            300 frames a page
//	go run ./bench -frames 60
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	frames := flag.Int64("frames", 300, "frames to render of each page")
	only := flag.String("page", "", "the pages to render, such as video.html,still.html; the stages that need no page are left out")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, *frames, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, frames int64, only string) error {
	dir, err := os.MkdirTemp("", "helios-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "%d frames of 1920x1080, %d processors; times in milliseconds a frame\n", frames, runtime.NumCPU())
	pages, err := copyPages(ctx, dir)
	if err != nil {
		return err
	}
	pages = append(pages, "examples/webgl.html", "examples/gsap.html", "examples/lottie.html")
	costs := map[string]cost{}
	for _, page := range pages {
		if only != "" && !slices.Contains(strings.Split(only, ","), filepath.Base(page)) {
			continue
		}
		if costs[filepath.Base(page)], err = benchPage(ctx, out, dir, page, frames); err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
	}
	if video, still := costs["video.html"], costs["still.html"]; video.capture > 0 && still.capture > 0 {
		fmt.Fprintf(out, "\ta <video> over a still\tcapture %+.0f %% CPU\trender %+.0f %% CPU\tby way of the reference\t\n",
			100*(video.capture/still.capture-1), 100*(video.render/still.render-1))
	}
	if only != "" {
		return out.Flush()
	}
	if err := benchPlan(out); err != nil {
		return err
	}
	if err := benchStitch(ctx, out, dir); err != nil {
		return err
	}
	return out.Flush()
}
