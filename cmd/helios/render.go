package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/render"
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
	rep := newReporter(f.report)
	defer rep.close()
	if f.chunk != "" {
		return f.renderChunk(cmd.Context(), o, c, rep.report)
	}
	browsers := render.NewBrowserPool(c, o.Scale)
	defer browsers.Close()
	r := rendering{f, o, c, browsers, rep.report}
	if f.emitJob != "" {
		if err := r.emit(cmd.Context()); err != nil {
			return err
		}
		return rep.jobEmitted(f.emitJob)
	}
	return r.run(cmd.Context())
}

// checkNames rejects outputs that would replace the composition, and job specs for sound.
func (f *renderFlags) checkNames(c capture.Composition) error {
	for _, file := range []string{f.output, f.emitJob} {
		if sameFile(file, filepath.Join(c.Folder, c.Page)) {
			return fault.Userf("%s is the composition itself; use another file", file)
		}
	}
	if f.emitJob != "" && audioCodecOf(f.output) != "" {
		return fault.Userf("%s is a sound file, which has no partitions; render it without --emit-job", f.output)
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

// renderChunk renders a partition. Its command contains all settings, so the page does not add any.
func (f *renderFlags) renderChunk(
	ctx context.Context, o plan.Options, c capture.Composition, report func(render.Event),
) error {
	id, err := job.ParseChunkID(f.chunk)
	if err != nil {
		return err
	}
	o.Concurrency = 1
	spec, err := plan.New(o)
	if err != nil {
		return err
	}
	p := render.Partition{Config: spec.Config, Composition: c, ID: id, Retries: f.retries, Report: report}
	return p.ToFile(ctx, f.output, f.overwrite)
}
