package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"helios/shared/capture"
	"helios/shared/job"
	"helios/shared/plan"
	"helios/shared/render"
)

func newInspect() *cobra.Command {
	var (
		o      plan.Options
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "inspect INPUT",
		Short: "Print the settings, animations and assets of a composition, and what is missing",
		Args:  userArgs(cobra.ExactArgs(1)),

		ValidArgsFunction: completeFiles("html"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := capture.Locate("", args[0])
			if err != nil {
				return err
			}
			inspection, err := render.Inspect(cmd.Context(), o, c)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(inspection)
			}
			return printInspection(cmd.OutOrStdout(), inspection)
		},
	}
	cmd.Flags().SortFlags = false
	addSettings(cmd, &o.Config, job.OnInspect)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printInspection(out io.Writer, f render.Inspection) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name string, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	if f.Duration.IsZero() {
		row("duration", "unknown; use --duration, or set data-duration on <html>")
	} else {
		row("duration", "%s s (%d frames)", f.Duration, f.Frames)
	}
	row("size", "%dx%d", f.Width, f.Height)
	row("fps", "%s", f.FPS)
	row("animations", "%s", strings.Join(f.Animations, ", "))
	row("seek mode", "%s (%s)", f.SeekMode, f.Why)
	row("assets", "%d", len(f.Assets))
	for _, a := range f.Assets {
		line := fmt.Sprintf("%s\t%s\t%d bytes", strings.ToLower(a.Kind), a.URL, a.Bytes)
		if a.Problem != "" {
			line += "\t" + a.Problem
		}
		row("", "%s", line)
	}
	row("missing", "%d", len(f.Missing))
	return w.Flush()
}
