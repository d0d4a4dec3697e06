package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"helios/shared/browser"
	"helios/shared/capture"
	"helios/shared/encode"
	"helios/shared/fault"
	"helios/shared/flock"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/render"
	"helios/shared/store"
)

// defaultRetries is how often a partition is tried again when something broke that may heal.
const defaultRetries = 2

type renderFlags struct {
	page    pageFlags
	encoder encoderFlags
	told    outputFlags

	output       string
	duration     job.Seconds
	frameCount   int64
	startFrame   int64
	concurrency  int
	start        string
	emitJob      string
	baseURL      string
	chunk        string
	retries      int
	allowMissing bool
	overwrite    bool
}

func newRender() *cobra.Command {
	f := &renderFlags{}
	cmd := &cobra.Command{
		Use:   "render INPUT",
		Short: "Render a composition to a video, or describe the work as a job spec",
		Long: `Render a composition: an HTML file, a folder with an index.html, or an http(s) URL.

The page may say itself how long, how large and how fast it is, by data-duration, data-width,
data-height and data-fps on its <html>; flags win.

With --emit-job nothing is rendered: the job spec describes the work, split into as many
partitions as --concurrency says, for any runner to do.`,
		Example: `  helios render intro.html -o intro.mp4
  helios render intro.html --duration 10 --fps 60 --width 1280 --height 720 -o intro.mp4
  helios render intro.html --concurrency 8 --emit-job job.json`,
		Args: userArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVarP(&f.output, "output", "o", "output.mp4", "the video")
	f.page.add(cmd)
	fs.TextVar(&f.duration, "duration", job.Seconds{}, "length of the output: 2, 0.5 or 1m30s (default: the page's data-duration)")
	fs.Int64Var(&f.frameCount, "frame-count", 0, "length of the output in frames; wins over --duration")
	fs.Int64Var(&f.startFrame, "start-frame", 0, "first frame of the output, counted from the start of the composition")
	f.encoder.add(cmd)
	fs.IntVar(&f.concurrency, "concurrency", 0, "number of partitions, rendered at once (default: what cores and memory carry)")
	fs.StringVar(&f.start, "start", string(render.StartAuto), "how a partition reaches its first frame: step, jump or auto")
	fs.IntVar(&f.retries, "retries", defaultRetries, "attempts after the first when a process dies")
	fs.BoolVar(&f.allowMissing, "allow-missing-assets", false, "go on without images, fonts and scripts that cannot be had")
	fs.BoolVar(&f.overwrite, "overwrite", false, "replace an output that exists")
	fs.StringVar(&f.emitJob, "emit-job", "", "write the job spec to this file and render nothing")
	fs.StringVar(&f.baseURL, "base-url", "", "where other machines find the input (with --emit-job)")
	fs.StringVar(&f.chunk, "chunk", "", "render the frames as a chunk of a job: JOB:PARTITION/PARTITIONS, as in a job spec's commands")
	f.told.add(cmd)
	return cmd
}

func (f *renderFlags) run(cmd *cobra.Command, input string) error {
	o, err := f.options(cmd, input)
	if err != nil {
		return err
	}
	c, err := capture.Locate("", input)
	if err != nil {
		return err
	}
	switch {
	case f.emitJob != "":
		return f.emit(cmd.Context(), o, c)
	case f.chunk != "":
		return f.renderChunk(cmd.Context(), o, c)
	default:
		return f.render(cmd.Context(), o, c)
	}
}

func (f *renderFlags) options(cmd *cobra.Command, input string) (plan.Options, error) {
	o := plan.Options{
		Input: filepath.ToSlash(input), Output: filepath.ToSlash(f.output), BaseURL: f.baseURL,
		Duration: f.duration, FrameCount: f.frameCount, StartFrame: f.startFrame,
		Concurrency: f.concurrency, Start: job.Start(f.start), AllowMissingAssets: f.allowMissing,
	}
	changed := cmd.Flags().Changed
	switch {
	case changed("duration") && f.duration.IsZero():
		return o, fault.Userf("--duration must be more than 0")
	case changed("frame-count") && f.frameCount < 1:
		return o, fault.Userf("--frame-count must be at least 1, got %d", f.frameCount)
	case changed("concurrency") && f.concurrency < 1:
		return o, fault.Userf("--concurrency must be at least 1, got %d", f.concurrency)
	case f.startFrame < 0:
		return o, fault.Userf("--start-frame must be at least 0, got %d", f.startFrame)
	case o.Start != render.StartAuto && o.Start != job.StartStep && o.Start != job.StartJump:
		return o, fault.Userf("--start must be step, jump or auto, got %q", f.start)
	case f.output == "":
		return o, fault.Userf("--output must name a file")
	}
	if !changed("concurrency") {
		o.Concurrency = render.DefaultWorkers()
	}
	f.encoder.fill(&o)
	return o, f.page.fill(cmd, &o)
}

// prepare plans the job. Nothing is started for options that cannot work out.
func (f *renderFlags) prepare(ctx context.Context, o plan.Options, c capture.Composition) (*job.Spec, *browser.Browser, error) {
	if _, err := browser.Find(); err != nil {
		return nil, nil, err
	}
	if _, err := encode.Find(); err != nil {
		return nil, nil, err
	}
	return render.Prepare(ctx, o, c)
}

// emit writes the job spec.
func (f *renderFlags) emit(ctx context.Context, o plan.Options, c capture.Composition) error {
	dir := filepath.Dir(f.emitJob)
	var err error
	if !capture.IsURL(o.Input) {
		if o.Input, err = relativeTo(dir, o.Input); err != nil {
			return err
		}
	}
	if o.Output, err = relativeTo(dir, o.Output); err != nil {
		return err
	}
	spec, b, err := f.prepare(ctx, o, c)
	if err != nil {
		return err
	}
	b.Close()
	if o.BaseURL != "" {
		// The digests are those of the local files; what is at the URL, nobody has looked at.
		spec.Files = nil
	}
	w, err := store.Dir("").Create(ctx, f.emitJob)
	if err != nil {
		return fault.Userf("writing the job spec: %w", err)
	}
	defer w.Abort()
	if err := spec.Encode(w); err != nil {
		return fault.Userf("writing the job spec: %w", err)
	}
	if err := w.Commit(); err != nil {
		return fault.Userf("writing the job spec: %w", err)
	}
	return newTeller(f.told).result(f.emitJob)
}

// relativeTo turns a path from the current folder into one from dir, with slashes. Absolute paths stay.
func relativeTo(dir, path string) (string, error) {
	if filepath.IsAbs(path) {
		return filepath.ToSlash(path), nil
	}
	from, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(from, to)
	return filepath.ToSlash(rel), err
}

// renderChunk does what a partition's command says. All is decided, so the page is not asked.
func (f *renderFlags) renderChunk(ctx context.Context, o plan.Options, c capture.Composition) error {
	id, err := job.ParseChunkID(f.chunk)
	if err != nil {
		return err
	}
	o.Concurrency = 1
	if o.Start == render.StartAuto {
		o.Start = job.StartStep
	}
	spec, err := plan.New(o)
	if err != nil {
		return err
	}
	tell := newTeller(f.told)
	defer tell.close()
	return render.Chunk(ctx, spec.Config, c, id, f.output, f.retries, f.overwrite, tell.event)
}

// render renders the whole composition. Chunks lie in a hidden folder beside the output, where the same
// command finds them again if this one is killed.
func (f *renderFlags) render(ctx context.Context, o plan.Options, c capture.Composition) error {
	if err := render.CheckOutput(f.output, f.overwrite); err != nil {
		return err
	}
	work := filepath.Join(filepath.Dir(f.output), "."+filepath.Base(f.output)+".helios")
	lock, err := lockWork(work, f.output)
	if err != nil {
		return err
	}
	defer lock.Close()
	keep := false
	defer func() {
		if !keep {
			os.RemoveAll(work)
		}
	}()
	o.Output = filepath.Base(f.output)
	tell := newTeller(f.told)
	defer tell.close()
	spec, b, err := f.prepare(ctx, o, c)
	if err != nil {
		return err
	}
	j := &render.Job{
		Spec: spec, Composition: c, Chunks: store.Dir(work), Output: f.output,
		Workers: len(spec.Partitions), Retries: f.retries, Resume: true, Merge: true, Overwrite: f.overwrite,
		Report: tell.event, Browser: b,
	}
	err = j.Run(ctx)
	keep = err != nil && ctx.Err() == nil && !isUserFault(err)
	return err
}

// lockWork makes the folder for the chunks of an output and keeps other processes out of it.
func lockWork(work, output string) (io.Closer, error) {
	if err := os.MkdirAll(work, 0o777); err != nil {
		return nil, fault.Userf("writing %s: %w", output, err)
	}
	lock, err := flock.Lock(filepath.Join(work, "lock"))
	if errors.Is(err, flock.ErrLocked) {
		return nil, fault.Userf("another helios is rendering %s; wait for it, or name another output", output)
	}
	return lock, err
}
