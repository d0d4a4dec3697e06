package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"helios/shared/encode"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/render"
	"helios/shared/stitch/mp4"
	"helios/shared/store"
)

func newMerge() *cobra.Command {
	var (
		o         plan.Options
		sound     string
		overwrite bool
	)
	cmd := &cobra.Command{
		Use:   "merge OUTPUT INPUT...",
		Short: "Merge chunks into one video without encoding them again",
		Long: `Merge the chunks of one job, in order, into one video. Frames are copied, not encoded. Merge fails
if a chunk is missing, belongs to another job or has other settings.

With an option such as --video-codec, --quality or --preset the frames are encoded again.`,
		Example: `  helios merge intro.mp4 intro.0000.mp4 intro.0001.mp4
  helios merge intro.mp4 intro.*.mp4 --video-codec libx265 --quality 24`,
		Args:              userArgs(cobra.MinimumNArgs(2)),
		ValidArgsFunction: completeFiles("mp4"),
		RunE: func(cmd *cobra.Command, args []string) error {
			output, inputs := args[0], make([]render.Input, len(args)-1)
			for i, name := range args[1:] {
				inputs[i].Name = filepath.ToSlash(name)
			}
			o.Input, o.Output = "chunks", filepath.ToSlash(output)
			if o.Format == "" {
				o.Format = cmp.Or(job.FormatOf(o.Output), job.MP4)
			}
			encodeAgain := !o.Format.Video()
			for _, s := range job.Settings(job.OnMerge) {
				ofVideo := s.Name != "format" && s.Name != "loop"
				encodeAgain = encodeAgain || ofVideo && cmd.Flags().Changed(s.Flag())
			}
			if encodeAgain {
				return mergeAndEncode(cmd.Context(), inputs, output, filepath.ToSlash(sound), overwrite, o)
			}
			return render.Merge(cmd.Context(), store.Dir(""), inputs, output, render.MergeOptions{
				Config: job.Config{Format: o.Format}, Sound: filepath.ToSlash(sound), Overwrite: overwrite,
			})
		},
	}
	cmd.Flags().SortFlags = false
	addSettings(cmd, &o.Config, job.OnMerge)
	cmd.Flags().StringVar(&sound, "audio", "", "`file` of encoded sound to add, as helios audio writes it")
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace an existing output")
	return cmd
}

// mergeAndEncode merges the chunks into a temporary file and encodes that file.
func mergeAndEncode(
	ctx context.Context, inputs []render.Input, output, sound string, overwrite bool, o plan.Options,
) error {
	if err := render.CheckOutput(output, overwrite); err != nil {
		return err
	}
	if err := checkOptions(o); err != nil {
		return err
	}
	work, lock, err := lockWorkFolder(strings.TrimSuffix(output, "/"), ".merge")
	if err != nil {
		return err
	}
	defer lock.Close()
	defer os.RemoveAll(work)
	dir, stitched := store.Dir(""), filepath.Join(work, "stitched.mov")
	if err := render.Merge(ctx, dir, inputs, stitched, render.MergeOptions{Overwrite: true}); err != nil {
		return err
	}
	info, err := mp4.Probe(ctx, dir, stitched)
	if err != nil {
		return err
	}
	o.FrameCount, o.Width, o.Height = info.Frames, info.Width, info.Height
	o.FPS.Num, o.FPS.Den = int64(info.Timescale), int64(info.FrameDuration)
	spec, err := plan.New(o)
	if err != nil {
		return err
	}
	options := render.MergeOptions{Config: spec.Config, Sound: sound, Overwrite: overwrite}
	if !o.Format.Video() {
		return render.Merge(ctx, dir, []render.Input{{Name: stitched, Frames: info.Frames}}, output, options)
	}
	video, err := os.Open(stitched)
	if err != nil {
		return err
	}
	defer video.Close()
	encoded := filepath.Join(work, "encoded."+string(o.Format))
	if err := encode.Transcode(ctx, spec.Config, video, encoded); err != nil {
		return err
	}
	// Merging a single file moves its moov box to the front.
	return render.Merge(ctx, dir, []render.Input{{Name: encoded, Frames: info.Frames}}, output, options)
}
