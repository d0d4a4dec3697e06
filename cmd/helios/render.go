package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"helios/shared/addr"
	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/render"
	"helios/shared/store"
)

// defaultRetries is the number of times that a partition is retried after a transient error.
const defaultRetries = 2

type renderFlags struct {
	plan    plan.Options // as the flags set them; see options
	output  string
	emitJob string
	batch   string
	chunk   string

	retries   int
	overwrite bool
	report    reportFlags
}

func newRender() *cobra.Command {
	f := &renderFlags{}
	cmd := &cobra.Command{
		Use:   "render INPUT",
		Short: "Render a composition to a video, or write a job spec",
		Long: `Render a composition: an HTML file, a folder with an index.html, or the http(s) or s3 URL of either.

The page can declare its length, size and frame rate with data-duration, data-width, data-height
and data-fps on <html>; flags override them.

With --emit-job, helios writes a job spec with --concurrency partitions instead of rendering. Any
runner can execute it.

With --batch, helios renders one output for each row of a file. If a row fails, the others are still
rendered.`,
		Example: `  helios render intro.html -o intro.mp4
  helios render intro.html --duration 10 --fps 60 --width 1280 --height 720 -o intro.mp4
  helios render intro.html --concurrency 8 --emit-job job.json
  helios render intro.html --batch people.csv -o 'out/{{name}}.mp4'`,
		Args:              userArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: completeFiles("html"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("batch") {
				return f.runBatch(cmd, args[0])
			}
			return f.run(cmd, args[0])
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVarP(&f.output, "output", "o", "output.mp4", "output `file`; its suffix selects the format")
	f.addOptions(cmd)
	fs.IntVar(&f.plan.Concurrency, "concurrency", 0, "`number` of partitions; "+
		"they are rendered in parallel, up to one per core (default: what cores and memory allow)")
	fs.IntVar(&f.retries, "retries", defaultRetries, "`number` of retries when a process crashes")
	fs.BoolVar(&f.overwrite, "overwrite", false, "replace an existing output")
	fs.StringVar(&f.emitJob, "emit-job", "", "write the job spec to this `file` and render nothing")
	fs.StringVar(&f.batch, "batch", "", "render one output per row of this `file` (.csv, .json or .jsonl); "+
		"the row is the page's props, and replaces {{field}} and {{index}} in --output and --emit-job")
	fs.StringVar(&f.plan.BaseURL, "base-url", "",
		"`URL` of the folder where other machines find the input (with --emit-job)")
	fs.StringVar(&f.chunk, "chunk", "",
		"render the frames as a chunk of a job, `JOB:PARTITION/PARTITIONS`, as in the commands of a job spec")
	f.report.add(cmd)
	return cmd
}

// addOptions adds the flags that "render" and "cloud render" share.
func (f *renderFlags) addOptions(cmd *cobra.Command) {
	addSettings(cmd, &f.plan.Config, job.OnRender)
	addTracks(cmd, &f.plan.Tracks)
	cmd.Flags().BoolVar(&f.plan.Mute, "mute", false, "remove all sound")
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
	if err := f.checkNames(c); err != nil {
		return err
	}
	if f.chunk != "" {
		return f.renderChunk(cmd.Context(), o, c)
	}
	browsers := render.NewBrowserPool(c, o.Scale)
	defer browsers.Close()
	if f.emitJob != "" {
		if err := f.emit(cmd.Context(), browsers, o, c); err != nil {
			return err
		}
		return newReporter(f.report).jobEmitted(f.emitJob)
	}
	rep := newReporter(f.report)
	defer rep.close()
	return f.renderOutput(cmd.Context(), browsers, o, c, rep.report)
}

// renderOutput renders the output, a video or sound alone.
func (f *renderFlags) renderOutput(ctx context.Context, browsers *render.BrowserPool, o plan.Options, c capture.Composition, report func(render.Event)) error {
	if audioCodecOf(f.output) != "" {
		return f.renderSound(ctx, browsers, o, c, report)
	}
	return f.render(ctx, browsers, o, c, report)
}

// checkNames refuses files that cannot be written.
func (f *renderFlags) checkNames(c capture.Composition) error {
	for _, file := range []string{f.output, f.emitJob} {
		if sameFile(file, filepath.Join(c.Folder, c.Page)) {
			return fault.Userf("%s is the composition itself; name another file", file)
		}
	}
	if f.emitJob != "" && audioCodecOf(f.output) != "" {
		return fault.Userf("sound alone has no partitions; render %s without --emit-job", f.output)
	}
	return nil
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// options returns the options of the plan.
func (f *renderFlags) options(cmd *cobra.Command, input string) (plan.Options, error) {
	o := f.plan
	o.Tracks = slices.Clone(o.Tracks) // emit changes them
	o.Input, o.Output = filepath.ToSlash(input), filepath.ToSlash(f.output)
	if codec := audioCodecOf(f.output); codec != "" {
		o.AudioCodec = cmp.Or(o.AudioCodec, codec)
		// The plan is that of a video that can contain the sound.
		o.Output = "sound.mp4"
		if strings.HasPrefix(o.AudioCodec, "pcm") {
			o.Output = "sound.mov"
		}
	}
	if err := atLeast(cmd, "concurrency", int64(o.Concurrency), 1); err != nil {
		return o, err
	}
	if err := atLeast(cmd, "retries", int64(f.retries), 0); err != nil {
		return o, err
	}
	switch {
	case f.output == "":
		return o, fault.Userf("--output must name a file")
	case o.BaseURL != "" && f.emitJob == "":
		return o, fault.Userf("--base-url requires --emit-job")
	}
	if o.Concurrency == 0 {
		o.Concurrency = render.DefaultWorkers()
	}
	return o, checkOptions(o)
}

// emit writes the job spec.
func (f *renderFlags) emit(ctx context.Context, browsers *render.BrowserPool, o plan.Options, c capture.Composition) error {
	dir := filepath.Dir(f.emitJob)
	var err error
	if !addr.IsRemote(o.Input) {
		folder := filepath.Clean(o.Input) == filepath.Clean(c.Folder)
		if o.Input, err = relativeTo(dir, o.Input); err != nil {
			return err
		}
		if folder && o.BaseURL != "" {
			// On the web, what a page loads is looked for beside it: in the folder only if a slash follows.
			o.Input += "/"
		}
	}
	if o.Output, err = relativeTo(dir, o.Output); err != nil {
		return err
	}
	for i, t := range o.Tracks {
		if addr.IsRemote(t.Source) {
			continue
		}
		if o.Tracks[i].Source, err = relativeTo(dir, t.Source); err != nil {
			return err
		}
	}
	spec, err := render.Plan(ctx, browsers, o, c)
	if err != nil {
		return err
	}
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
	return nil
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
	spec, err := plan.New(o)
	if err != nil {
		return err
	}
	rep := newReporter(f.report)
	defer rep.close()
	p := render.Partition{Config: spec.Config, Composition: c, ID: id, Retries: f.retries, Report: rep.report}
	return p.ToFile(ctx, f.output, f.overwrite)
}

// renderSound makes the sound alone.
func (f *renderFlags) renderSound(ctx context.Context, browsers *render.BrowserPool, o plan.Options, c capture.Composition, report func(render.Event)) error {
	o.SeekMode = job.SeekReplay // sound has no partitions
	spec, err := render.Plan(ctx, browsers, o, c)
	if err != nil {
		return err
	}
	if spec.Audio == nil {
		return fault.Userf("%s has no sound; add some by --audio-track", c.Input)
	}
	err = render.MixSound(ctx, render.SoundOptions{
		Config: spec.Config, Tracks: spec.Audio.Tracks, Composition: c, Output: f.output, Overwrite: f.overwrite,
	})
	if err != nil {
		return err
	}
	report(render.Event{Type: render.OutputDone, Partition: -1, Worker: -1, Path: f.output})
	return nil
}

// render renders the whole composition. Chunks lie in a hidden folder beside the output, where the same
// command finds them again if this one is killed.
func (f *renderFlags) render(ctx context.Context, browsers *render.BrowserPool, o plan.Options, c capture.Composition, report func(render.Event)) error {
	if err := render.CheckOutput(f.output, f.overwrite); err != nil {
		return err
	}
	if _, err := ffmpeg.Find(); err != nil {
		return err
	}
	o.Output = filepath.Base(f.output)
	if strings.HasSuffix(f.output, "/") {
		o.Output += "/" // a folder of pictures
	}
	spec, err := render.Plan(ctx, browsers, o, c)
	if err != nil {
		return err
	}
	work, lock, err := lockWorkFolder(strings.TrimSuffix(f.output, "/"), ".helios")
	if err != nil {
		return err
	}
	defer lock.Close()
	j := &render.Job{
		Spec: spec, Composition: c, Chunks: store.Dir(work), Output: f.output,
		Workers: atOnce(f.plan.Concurrency), Retries: f.retries, Resume: true, Merge: true, Overwrite: f.overwrite,
		Report: report, Browsers: browsers,
	}
	err = j.Run(ctx)
	if err == nil || ctx.Err() != nil || isUserError(err) {
		os.RemoveAll(work)
	}
	return err
}

// atOnce returns how many partitions are rendered at once, for a --concurrency that is 0 when left out. More
// than one for each core would only take memory.
func atOnce(concurrency int) int {
	if concurrency == 0 {
		return render.DefaultWorkers()
	}
	return min(concurrency, runtime.GOMAXPROCS(0))
}
