package main

import (
	"cmp"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"helios/shared/audio"
	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/render"
)

func newAudio() *cobra.Command {
	var (
		sound                  soundFlags
		fps                    job.Rate
		startFrame, frameCount int64
		input                  string
		overwrite              bool
	)
	cmd := &cobra.Command{
		Use:     "audio OUTPUT",
		Short:   "Mix and encode tracks of sound, as a job spec's audio command does",
		Example: `  helios audio sound.m4a --audio-track music.mp3,volume=0.5,fade-out=2 --audio-track click.wav@2 --fps 30 --frame-count 300`,
		Args:    userArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := plan.Options{Config: job.Config{Input: "sound", Output: "sound.mp4", FPS: fps, StartFrame: startFrame, FrameCount: frameCount}}
			if err := sound.fill(&o); err != nil {
				return err
			}
			if frameCount < 1 {
				return fault.Userf("--frame-count must be at least 1: give the length of the sound in frames")
			}
			o.AudioCodec = cmp.Or(o.AudioCodec, audioCodecOf(args[0]))
			spec, err := plan.New(o)
			if err != nil {
				return err
			}
			var c capture.Composition
			if input != "" {
				if c, err = capture.Locate("", input); err != nil {
					return err
				}
			}
			return render.MixSound(cmd.Context(), render.SoundOptions{
				Config: spec.Config, Tracks: o.Tracks, Composition: c, Output: args[0], Overwrite: overwrite,
			})
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	sound.add(cmd)
	fs.TextVar(&fps, "fps", plan.DefaultFPS, "frame `rate`: 30, 29.97 or 30000/1001")
	fs.Int64Var(&startFrame, "start-frame", 0, "first `frame` of the output, counted from the start of the composition")
	fs.Int64Var(&frameCount, "frame-count", 0, "length of the output in `frames`")
	fs.StringVar(&input, "input", "", "the `composition` that the sound belongs to; tracks may be at its address, even on this machine")
	fs.BoolVar(&overwrite, "overwrite", false, "replace an output that exists")
	return cmd
}

// audioCodecOf returns the codec of a file for sound alone, "" if it is none.
func audioCodecOf(output string) string {
	return audio.CodecOf(strings.TrimPrefix(strings.ToLower(filepath.Ext(output)), "."))
}
