// Command bench measures where the time of a render goes. It prints figures and judges nothing: machines
// differ, and so do their moods: what is told of a stage is the best of some rounds.
//
//	go run ./bench
//	go run ./bench -frames 60 -rounds 1 -page boxes.html
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

	"helios/shared/job"
)

func main() {
	frames := flag.Int64("frames", 150, "frames to render of each page")
	rounds := flag.Int("rounds", 3, "how often everything about the pages is measured")
	only := flag.String("page", "", "the pages to render, such as video.html,still.html; the stages that need no page are left out")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, *frames, *rounds, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, frames int64, rounds int, only string) error {
	dir, err := os.MkdirTemp("", "helios-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pages, err := copyPages(ctx, dir)
	if err != nil {
		return err
	}
	pages = append(pages, "examples/webgl.html", "examples/gsap.html", "examples/lottie.html")
	if only != "" {
		pages = slices.DeleteFunc(pages, func(page string) bool { return !slices.Contains(strings.Split(only, ","), filepath.Base(page)) })
	}
	tables := map[string]*table{}
	for round := range rounds {
		for _, page := range pages {
			name := filepath.Base(page)
			fmt.Fprintf(os.Stderr, "bench: round %d of %d: %s\n", round+1, rounds, name)
			if tables[name] == nil {
				tables[name] = new(table)
			}
			if err := benchPage(ctx, tables[name], dir, page, frames); err != nil {
				return fmt.Errorf("%s: %w", page, err)
			}
		}
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "%d frames of 1920x1080, %d processors, best of %d; times in milliseconds a frame\n", frames, runtime.NumCPU(), rounds)
	for _, page := range pages {
		name := filepath.Base(page)
		tables[name].print(out, name)
	}
	if video, still := tables["video.html"], tables["still.html"]; video != nil && still != nil {
		more := func(stage string) float64 { return 100 * (video.cpu(stage)/still.cpu(stage) - 1) }
		fmt.Fprintf(out, "\ta <video> over a still\tcapture %+.0f %% CPU\trender %+.0f %% CPU\tby way of the reference\t\n",
			more(capturing(job.CaptureReference)), more(rendering(job.CaptureReference, 1)))
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
