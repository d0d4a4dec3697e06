package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"helios/shared/encode"
	"helios/shared/plan"
	"helios/shared/render"
	"helios/shared/stitch"
	"helios/shared/store"
)

func newMerge() *cobra.Command {
	var (
		encoder   encoderFlags
		overwrite bool
	)
	cmd := &cobra.Command{
		Use:   "merge OUTPUT INPUT...",
		Short: "Stitch chunks into one video without re-encoding them",
		Long: `Stitch chunks, in the order given, into one video. The pictures are copied as they are;
chunks that do not fit together are refused.

With --video-codec, --quality or --preset the pictures are encoded anew.`,
		Example: `  helios merge intro.mp4 intro.0000.mp4 intro.0001.mp4
  helios merge intro.mp4 intro.*.mp4 --video-codec libx265 --quality 24`,
		Args:              userArgs(cobra.MinimumNArgs(2)),
		ValidArgsFunction: completeFiles("mp4"),
		RunE: func(cmd *cobra.Command, args []string) error {
			output, inputs := args[0], make([]render.Input, len(args)-1)
			for i, name := range args[1:] {
				inputs[i].Name = filepath.ToSlash(name)
			}
			transcode := false
			for _, name := range []string{"video-codec", "audio-codec", "quality", "preset"} {
				transcode = transcode || cmd.Flags().Changed(name)
			}
			if transcode {
				o := plan.Options{Input: "chunks", Output: "output.mp4"}
				if err := encoder.fill(cmd, &o); err != nil {
					return err
				}
				return mergeAnew(cmd.Context(), inputs, output, overwrite, o)
			}
			return render.Merge(cmd.Context(), store.Dir(""), inputs, output, overwrite)
		},
	}
	cmd.Flags().SortFlags = false
	encoder.add(cmd)
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace an output that exists")
	return cmd
}

// mergeAnew stitches beside the output and encodes the result.
func mergeAnew(ctx context.Context, inputs []render.Input, output string, overwrite bool, o plan.Options) error {
	if err := render.CheckOutput(output, overwrite); err != nil {
		return err
	}
	if err := check(o); err != nil {
		return err
	}
	work, lock, err := lockWork(output, ".merge")
	if err != nil {
		return err
	}
	defer lock.Close()
	defer os.RemoveAll(work)
	dir, stitched, encoded := store.Dir(""), filepath.Join(work, "stitched.mp4"), filepath.Join(work, "encoded.mp4")
	if err := render.Merge(ctx, dir, inputs, stitched, true); err != nil {
		return err
	}
	info, err := stitch.Probe(ctx, dir, stitched)
	if err != nil {
		return err
	}
	o.FrameCount, o.Width, o.Height = info.Frames, info.Width, info.Height
	o.FPS.Num, o.FPS.Den = int64(info.Timescale), int64(info.FrameDuration)
	spec, err := plan.New(o)
	if err != nil {
		return err
	}
	video, err := os.Open(stitched)
	if err != nil {
		return err
	}
	defer video.Close()
	if err := encode.Transcode(ctx, spec.Config, video, encoded); err != nil {
		return err
	}
	// Stitching one video puts its moov first.
	return render.Merge(ctx, dir, []render.Input{{Name: encoded, Frames: info.Frames}}, output, overwrite)
}
