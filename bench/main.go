// Command bench measures each stage of a render: painting, capture, encoding, planning, merging and the whole.
//
//	go run ./bench
//	go run ./bench -frames 60 -rounds 1 -page boxes.html
//
// It prints the lowest figures of several rounds, because other work on the machine only increases them. Machines
// differ, so compare ratios within one run.
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

// settings are the command-line flags.
type settings struct {
	frames int64
	rounds int
	pages  []string // file names; empty: all
}

func main() {
	var s settings
	flag.Int64Var(&s.frames, "frames", 150, "frames to render of each page")
	flag.IntVar(&s.rounds, "rounds", 3, "measurements of each page")
	setPages := func(value string) error {
		s.pages = strings.Split(value, ",")
		return nil
	}
	flag.Func("page", "pages to render, such as video.html,still.html; skips planning and merging", setPages)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures in a cgroup if the machine allows that.
func run(ctx context.Context, s settings) (err error) {
	source := "/proc, without orphans"
	if g := enterCgroup(); g != nil {
		source, cpuTime = "the cgroup "+g.dir+", with orphans", g.cpuTime
		defer func() { err = errors.Join(err, g.leave()) }()
	}
	fmt.Println("CPU time is from", source)
	return bench(ctx, s)
}

func bench(ctx context.Context, s settings) error {
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
	if len(s.pages) > 0 {
		pages = slices.DeleteFunc(pages, func(page string) bool { return !slices.Contains(s.pages, filepath.Base(page)) })
	}
	tables := map[string]*table{}
	for round := range s.rounds {
		for _, page := range pages {
			name := filepath.Base(page)
			fmt.Fprintf(os.Stderr, "bench: round %d of %d: %s\n", round+1, s.rounds, name)
			if tables[name] == nil {
				tables[name] = new(table)
			}
			if err := benchPage(ctx, tables[name], dir, page, s.frames); err != nil {
				return fmt.Errorf("%s: %w", page, err)
			}
		}
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "%d frames of 1920x1080, %d processors, best of %d; milliseconds per frame\n",
		s.frames, runtime.NumCPU(), s.rounds)
	for _, page := range pages {
		name := filepath.Base(page)
		tables[name].print(out, name)
	}
	if video, still := tables["video.html"], tables["still.html"]; video != nil && still != nil {
		increase := func(stage string) float64 { return 100 * (video.cpu(stage)/still.cpu(stage) - 1) }
		fmt.Fprintf(out, "\t<video> compared with <img>\tcapture %+.0f %% CPU\trender %+.0f %% CPU\tstream mode\t\n",
			increase(captureStage(job.CaptureStream)), increase(renderStage(job.CaptureStream, 1)))
	}
	if len(s.pages) > 0 {
		return out.Flush()
	}
	if err := benchPlan(out); err != nil {
		return err
	}
	if err := benchMerge(ctx, out, dir); err != nil {
		return err
	}
	return out.Flush()
}
