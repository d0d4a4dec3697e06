// Command bench measures what each stage of a render takes. Machines differ, and their speed changes, so it takes the best
// of some rounds, and the ratios within one run are what counts.
//
//	go run ./bench
//	go run ./bench -frames 60 -rounds 1 -page boxes.html
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"helios/shared/job"
	"helios/shared/tempfile"
)

func main() {
	frames := flag.Int64("frames", 150, "frames to render of each page")
	rounds := flag.Int("rounds", 3, "how often each page is measured")
	only := flag.String("page", "", "the pages to render, such as video.html,still.html; planning and stitching are left out then")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *frames, *rounds, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures in a cgroup if the machine allows it.
func run(ctx context.Context, frames int64, rounds int, only string) (err error) {
	source := "a walk through /proc, without orphans"
	if g := joinGroup(); g != nil {
		source, cpuTime = "the cgroup "+g.dir+", with orphans", g.cpuTime
		defer func() { err = errors.Join(err, g.leave()) }()
	}
	fmt.Println("CPU time is from", source)
	return bench(ctx, frames, rounds, only)
}

func bench(ctx context.Context, frames int64, rounds int, only string) error {
	temp, err := tempfile.MkdirTemp("")
	if err != nil {
		return err
	}
	defer temp.Remove()
	dir := temp.Path()
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
	fmt.Fprintf(out, "%d frames of 1920x1080, %d processors, best of %d; milliseconds per frame\n", frames, runtime.NumCPU(), rounds)
	for _, page := range pages {
		name := filepath.Base(page)
		tables[name].print(out, name)
	}
	if video, still := tables["video.html"], tables["still.html"]; video != nil && still != nil {
		more := func(stage string) float64 { return 100 * (video.cpu(stage)/still.cpu(stage) - 1) }
		fmt.Fprintf(out, "\ta <video> over a still\tcapture %+.0f %% CPU\trender %+.0f %% CPU\tstream mode\t\n",
			more(capturing(job.CaptureStream)), more(rendering(job.CaptureStream, 1)))
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
