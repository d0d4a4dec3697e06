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

// defaultRetries is how often a partition is tried again when something broke that may heal.
const defaultRetries = 2

type renderFlags struct {
	page    pageFlags
	encoder encoderFlags
	report  reportFlags

	output       string
	duration     job.Seconds
	frameCount   int64
	startFrame   int64
	concurrency  int
	seekMode     string
	capture      string
	emitJob      string
	baseURL      string
	batch        string
	chunk        string
	retries      int
	allowMissing bool
	transparent  bool
	mute         bool
	sound        soundFlags
	overwrite    bool
}

func newRender() *cobra.Command {
	f := &renderFlags{}
	cmd := &cobra.Command{
		Use:   "render INPUT",
		Short: "Render a composition to a video, or describe the work as a job spec",
		Long: `Render a composition: an HTML file, a folder with an index.html, or the http(s) or s3 URL of either.

The page may say itself how long, how large and how fast it is, by data-duration, data-width,
data-height and data-fps on its <html>; flags win.

With --emit-job nothing is rendered: the job spec describes the work, split into as many
partitions as --concurrency says, for any runner to do.

With --batch each row of a file makes an output of its own. Rows that fail do not stop the rest.`,
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
	fs.StringVarP(&f.output, "output", "o", "output.mp4", "`file` of the video")
	f.addOptions(cmd)
	fs.IntVar(&f.concurrency, "concurrency", 0, "`number` of partitions; as many are rendered at once, up to one for each core (default: what cores and memory carry)")
	fs.IntVar(&f.retries, "retries", defaultRetries, "`number` of attempts after the first when a process dies")
	fs.BoolVar(&f.overwrite, "overwrite", false, "replace an output that exists")
	fs.StringVar(&f.emitJob, "emit-job", "", "write the job spec to this `file` and render nothing")
	fs.StringVar(&f.batch, "batch", "", "render one output a row of this `file`: .csv, .json or .jsonl; the row is the page's props, and {{field}} or {{index}} in --output and --emit-job is the row's")
	fs.StringVar(&f.baseURL, "base-url", "", "`URL` of the folder where other machines find the input (with --emit-job)")
	fs.StringVar(&f.chunk, "chunk", "", "render the frames as a chunk of a job, `JOB:PARTITION/PARTITIONS`, as in a job spec's commands")
	f.report.add(cmd)
	return cmd
}

// addOptions adds the flags that say what is rendered, here or elsewhere.
func (f *renderFlags) addOptions(cmd *cobra.Command) {
	fs := cmd.Flags()
	f.page.add(cmd)
	fs.TextVar(&f.duration, "duration", job.Seconds{}, "length of the output in `seconds`: 2, 0.5 or 1m30s (default: the page's data-duration)")
	fs.Int64Var(&f.frameCount, "frame-count", 0, "length of the output in `frames`; wins over --duration")
	fs.Int64Var(&f.startFrame, "start-frame", 0, "first `frame` of the output, counted from the start of the composition")
	f.encoder.add(cmd)
	f.sound.add(cmd)
	fs.BoolVar(&f.mute, "mute", false, "leave all sound out")
	fs.StringVar(&f.seekMode, "seek-mode", string(job.SeekAuto), "`how` a partition reaches its first frame: replay, direct or auto")
	completeWords(cmd, "seek-mode", string(job.SeekReplay), string(job.SeekDirect), string(job.SeekAuto))
	fs.StringVar(&f.capture, "capture", string(job.CaptureAuto), "capture `mode`: stream (opaque 8-bit 4:2:0 of even size), screenshot, or auto for the one that fits the output")
	completeWords(cmd, "capture", string(job.CaptureAuto), string(job.CaptureStream), string(job.CaptureScreenshot))
	fs.BoolVar(&f.transparent, "transparent", false, "keep what the page does not paint transparent, in formats that can")
	fs.BoolVar(&f.allowMissing, "allow-missing-assets", false, "go on without images, fonts and scripts that cannot be had")
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

func (f *renderFlags) options(cmd *cobra.Command, input string) (plan.Options, error) {
	output := f.output
	if codec := audioCodecOf(output); codec != "" {
		f.sound.codec = cmp.Or(f.sound.codec, codec)
		// There are no pictures, but a video that could hold the sound.
		output = "sound.mp4"
		if strings.HasPrefix(f.sound.codec, "pcm") {
			output = "sound.mov"
		}
	}
	o := plan.Options{Config: job.Config{
		Input: filepath.ToSlash(input), Output: filepath.ToSlash(output), Duration: f.duration,
		FrameCount: f.frameCount, StartFrame: f.startFrame, SeekMode: job.SeekMode(f.seekMode),
		Capture: job.Capture(f.capture), AllowMissingAssets: f.allowMissing,
		Transparent: f.transparent,
	}, BaseURL: f.baseURL, Concurrency: f.concurrency}
	for _, flag := range []struct {
		name         string
		value, least int64
	}{
		{"frame-count", f.frameCount, 1}, {"start-frame", f.startFrame, 0}, {"concurrency", int64(f.concurrency), 1}, {"retries", int64(f.retries), 0},
	} {
		if err := atLeast(cmd, flag.name, flag.value, flag.least); err != nil {
			return o, err
		}
	}
	switch {
	case cmd.Flags().Changed("duration") && f.duration.IsZero():
		return o, fault.Userf("--duration must be more than 0")
	case o.SeekMode != job.SeekAuto && o.SeekMode != job.SeekReplay && o.SeekMode != job.SeekDirect:
		return o, fault.Userf("--seek-mode must be replay, direct or auto, got %q", f.seekMode)
	case !slices.Contains([]job.Capture{job.CaptureAuto, job.CaptureStream, job.CaptureScreenshot}, o.Capture):
		return o, fault.Userf("--capture must be auto, stream or screenshot, got %q", f.capture)
	case f.output == "":
		return o, fault.Userf("--output must name a file")
	case f.baseURL != "" && f.emitJob == "":
		return o, fault.Userf("--base-url is for other machines; give it with --emit-job")
	}
	if o.Concurrency == 0 {
		o.Concurrency = render.DefaultWorkers()
	}
	o.Mute = f.mute
	if err := f.encoder.fill(cmd, &o); err != nil {
		return o, err
	}
	if err := f.sound.fill(&o); err != nil {
		return o, err
	}
	if err := f.page.fill(cmd, &o); err != nil {
		return o, err
	}
	return o, check(o)
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
		Workers: atOnce(f.concurrency), Retries: f.retries, Resume: true, Merge: true, Overwrite: f.overwrite,
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
