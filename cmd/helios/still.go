package main

import (
	"github.com/spf13/cobra"

	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/render"
)

func newStill() *cobra.Command {
	var (
		page pageFlags
		s    render.StillOptions
		mode string
	)
	cmd := &cobra.Command{
		Use:   "still INPUT",
		Short: "Take one picture of a composition: PNG, JPEG, WebP or PDF",
		Example: `  helios still intro.html --at 2.5s -o poster.png
  helios still report.html --full-page --scale 2 -o report.pdf`,
		Args:              userArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: completeFiles("html"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if s.Quality < 0 || s.Quality > 100 {
				return fault.Userf("--quality must be from 0 to 100, got %d", s.Quality)
			}
			if s.Options.SeekMode = job.SeekMode(mode); s.Options.SeekMode != job.SeekAuto && s.Options.SeekMode != job.SeekReplay && s.Options.SeekMode != job.SeekDirect {
				return fault.Userf("--seek-mode must be replay, direct or auto, got %q", mode)
			}
			if err := page.fill(cmd, &s.Options); err != nil {
				return err
			}
			c, err := capture.Locate("", args[0])
			if err != nil {
				return err
			}
			return render.CaptureStill(cmd.Context(), c, s)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVarP(&s.Output, "output", "o", "still.png", "`file` of the picture: .png, .jpg, .webp or .pdf")
	fs.TextVar(&s.At, "at", job.Seconds{}, "`time` in the composition: 2.5 or 2.5s")
	page.add(cmd)
	fs.BoolVar(&s.FullPage, "full-page", false, "take the whole height of the page")
	fs.BoolVar(&s.Options.Transparent, "transparent", false, "keep what the page does not paint transparent (PNG and WebP)")
	fs.IntVar(&s.Quality, "quality", 90, "`quality` of JPEG and WebP, 0 to 100")
	fs.StringVar(&mode, "seek-mode", string(job.SeekAuto), "`how` the page reaches the time: replay, direct, or auto: direct if it offers window.helios.seek")
	fs.BoolVar(&s.Options.AllowMissingAssets, "allow-missing-assets", false, "go on without images, fonts and scripts that cannot be had")
	fs.BoolVar(&s.Overwrite, "overwrite", false, "replace an output that exists")
	return cmd
}
