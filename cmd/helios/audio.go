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
		o         = plan.Options{Config: job.Config{Input: "sound", Output: "sound.mp4"}}
		input     string
		overwrite bool
	)
	cmd := &cobra.Command{
		Use:   "audio OUTPUT",
		Short: "Mix and encode tracks of sound, as the audio command of a job spec does",
		Example: `  helios audio sound.m4a --audio-track music.mp3,volume=0.5,fade-out=2 --audio-track click.wav@2 ` +
			`--fps 30 --frame-count 300`,
		Args: userArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.FrameCount == 0 {
				return fault.Userf("--frame-count is missing; it is the length of the sound in frames")
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
	addTracks(cmd, &o.Tracks)
	addSettings(cmd, &o.Config, job.OnAudio)
	fs.Lookup("fps").Usage = "frame `rate`: 30, 29.97 or 30000/1001 (default: 30)" // no page declares it
	fs.StringVar(&input, "input", "",
		"`composition` that the sound belongs to; it allows tracks from its own address, even on this machine")
	fs.BoolVar(&overwrite, "overwrite", false, "replace an existing output")
	return cmd
}

// audioCodecOf returns the codec of a sound file, or "" if the file is not one.
func audioCodecOf(output string) string {
	return audio.CodecOf(strings.TrimPrefix(strings.ToLower(filepath.Ext(output)), "."))
}
