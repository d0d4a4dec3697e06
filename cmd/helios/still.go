package main

import (
	"github.com/spf13/cobra"

	"helios/shared/capture"
	"helios/shared/fault"
	"helios/shared/job"
	"helios/shared/render"
)

func newStill() *cobra.Command {
	var s render.StillOptions
	cmd := &cobra.Command{
		Use:   "still INPUT",
		Short: "Write one frame of a composition: PNG, JPEG, WebP or PDF",
		Example: `  helios still intro.html --at 2.5s -o poster.png
  helios still report.html --full-page --scale 2 -o report.pdf`,
		Args:              userArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: completeFiles("html"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if s.Quality < 0 || s.Quality > 100 {
				return fault.Userf("--quality must be from 0 to 100, got %d", s.Quality)
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
	fs.StringVarP(&s.Output, "output", "o", "still.png", "output `file`: .png, .jpg, .webp or .pdf")
	fs.TextVar(&s.At, "at", job.Seconds{}, "`time` in the composition: 2.5 or 2.5s")
	addSettings(cmd, &s.Options.Config, job.OnStill)
	fs.BoolVar(&s.FullPage, "full-page", false, "capture the full height of the page")
	fs.IntVar(&s.Quality, "quality", 90, "`quality` of JPEG and WebP, 0 to 100")
	fs.BoolVar(&s.Overwrite, "overwrite", false, "replace an existing output")
	return cmd
}
