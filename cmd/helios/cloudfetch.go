package main

import (
	"cmp"
	"context"
	"path"

	"github.com/spf13/cobra"

	"helios/shared/fault"
	"helios/shared/remote"
	"helios/shared/render"
)

func newCloudFetch(stack *stackFlags) *cobra.Command {
	var (
		output    string
		overwrite bool
		report    reportFlags
	)
	cmd := &cobra.Command{
		Use:   "fetch ID",
		Short: "Download the output of a render that has ended",
		Args:  userArgs(cobra.ExactArgs(1)),
		RunE: stack.withStack(func(ctx context.Context, s *remote.Stack, id string) error {
			r, err := s.Describe(ctx, id)
			if err != nil {
				return err
			}
			if r.Status == remote.Running {
				return fault.Userf("the render %s is still running; see helios cloud status %s", r.ID, r.ID)
			}
			if err := r.Err(); err != nil {
				return err
			}
			file := output
			if r.Finished != nil {
				file = cmp.Or(file, path.Base(r.Finished.Output))
			}
			if err := render.CheckOutput(file, overwrite); err != nil {
				return err
			}
			rep := newReporter(report)
			defer rep.close()
			f := &follower{stack: s, reporter: rep, file: file, overwrite: overwrite}
			return f.finish(ctx, r)
		}),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&output, "output", "o", "", "local `file` (default: the last part of the output's key)")
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace a file that exists")
	report.add(cmd)
	return cmd
}
