package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"helios/shared/addr"
	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/ffmpeg"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/render"
	"helios/shared/store"
)

// rendering is the work for one output: that of a command, or of a row of a batch.
type rendering struct {
	flags       *renderFlags
	options     plan.Options
	composition capture.Composition
	browsers    *render.BrowserPool
	report      func(render.Event)
}

// run renders the output: video, images or sound.
func (r *rendering) run(ctx context.Context) error {
	if audioCodecOf(r.flags.output) != "" {
		return r.renderSound(ctx)
	}
	return r.renderFrames(ctx)
}

// renderFrames renders a video or images. The chunks are in a hidden folder next to the output, where the same command
// finds them again if this one is killed.
func (r *rendering) renderFrames(ctx context.Context) error {
	f := r.flags
	if err := render.CheckOutput(f.output, f.overwrite); err != nil {
		return err
	}
	if _, err := ffmpeg.Find(); err != nil {
		return err
	}
	o := r.options
	o.Output = filepath.Base(f.output)
	if strings.HasSuffix(f.output, "/") {
		o.Output += "/" // a folder of images
	}
	spec, err := render.Plan(ctx, r.browsers, o, r.composition)
	if err != nil {
		return err
	}
	work, lock, err := lockWorkFolder(strings.TrimSuffix(f.output, "/"), ".helios")
	if err != nil {
		return err
	}
	defer lock.Close()
	j := &render.Job{
		Spec: spec, Composition: r.composition, Chunks: store.Dir(work), Output: f.output,
		Workers: workers(f.plan.Concurrency), Retries: f.retries, Resume: true, Merge: true, Overwrite: f.overwrite,
		Report: r.report, Browsers: r.browsers,
	}
	err = j.Run(ctx)
	if err == nil || ctx.Err() != nil || isUserError(err) {
		os.RemoveAll(work)
	}
	return err
}

// workers returns the number of partitions to render at once. More than one per core would only use memory. The
// concurrency is 0 if it is left out.
func workers(concurrency int) int {
	if concurrency == 0 {
		return render.DefaultWorkers()
	}
	return min(concurrency, runtime.GOMAXPROCS(0))
}

// renderSound renders a sound file.
func (r *rendering) renderSound(ctx context.Context) error {
	o := r.options
	o.SeekMode = job.SeekReplay // sound has no partitions, so the page is not tested
	spec, err := render.Plan(ctx, r.browsers, o, r.composition)
	if err != nil {
		return err
	}
	if spec.Audio == nil {
		return fault.Userf("%s has no sound; add tracks with --audio-track", r.composition.Input)
	}
	err = render.MixSound(ctx, render.SoundOptions{
		Config: spec.Config, Tracks: spec.Audio.Tracks, Composition: r.composition,
		Output: r.flags.output, Overwrite: r.flags.overwrite,
	})
	if err != nil {
		return err
	}
	r.report(render.Event{Type: render.OutputDone, Partition: -1, Worker: -1, Path: r.flags.output})
	return nil
}

// emit writes the job spec.
func (r *rendering) emit(ctx context.Context) error {
	o, err := r.relativeOptions(filepath.Dir(r.flags.emitJob))
	if err != nil {
		return err
	}
	spec, err := render.Plan(ctx, r.browsers, o, r.composition)
	if err != nil {
		return err
	}
	if o.BaseURL != "" {
		spec.Files = nil // the digests are those of local files; the files at the URL can be different
	}
	if err := writeSpec(ctx, spec, r.flags.emitJob); err != nil {
		return fault.Userf("writing the job spec: %w", err)
	}
	return nil
}

func writeSpec(ctx context.Context, spec *job.Spec, file string) error {
	w, err := store.Dir("").Create(ctx, file)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := spec.Encode(w); err != nil {
		return err
	}
	return w.Commit()
}

// relativeOptions returns the options with paths relative to the folder of the job spec.
func (r *rendering) relativeOptions(dir string) (o plan.Options, err error) {
	o = r.options
	if !addr.IsRemote(o.Input) {
		isFolder := filepath.Clean(o.Input) == filepath.Clean(r.composition.Folder)
		if o.Input, err = relativeTo(dir, o.Input); err != nil {
			return o, err
		}
		if isFolder && o.BaseURL != "" {
			o.Input += "/" // URLs in the page are relative to the folder only if its URL ends with a slash
		}
	}
	if o.Output, err = relativeTo(dir, o.Output); err != nil {
		return o, err
	}
	for i, t := range o.Tracks {
		if addr.IsRemote(t.Source) {
			continue
		}
		if o.Tracks[i].Source, err = relativeTo(dir, t.Source); err != nil {
			return o, err
		}
	}
	return o, nil
}

// relativeTo returns a path relative to dir, with slashes. Absolute paths are not changed.
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
