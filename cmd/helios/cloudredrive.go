package main

import (
	"context"

	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"helios/shared/fault"
	"helios/shared/remote"
	"helios/shared/render"
)

// stamp is what newID adds to a name.
var stamp = regexp.MustCompile(`-\d{8}-\d{6}-[0-9a-f]{6}$`)

func newCloudRedrive(stack *stackFlags) *cobra.Command {
	var (
		output    string
		overwrite bool
		detach    bool
		report    reportFlags
	)
	cmd := &cobra.Command{
		Use:   "redrive ID",
		Short: "Do again what a render has not done",
		Long: `Do again what a render that failed or was cancelled has not done. It is the same job under a new
id: chunks that are there are kept.`,
		Args: userArgs(cobra.ExactArgs(1)),
		RunE: stack.onStack(func(ctx context.Context, s *remote.Stack, id string) error {
			if output != "" && detach {
				return fault.Userf("--detach does not wait for %s; leave --output out, and use helios cloud fetch later", output)
			}
			if output != "" {
				if err := render.CheckOutput(output, overwrite); err != nil {
					return err
				}
			}
			next, err := newID(stamp.ReplaceAllString(id[strings.LastIndexByte(id, ':')+1:], ""))
			if err != nil {
				return err
			}
			if err := s.Redrive(ctx, id, next); err != nil {
				return err
			}
			rep := newReporter(report)
			defer rep.close()
			if detach {
				return rep.cloudStarted(next)
			}
			rep.logf("%s started", next)
			return follow(ctx, s, rep, next, output, overwrite)
		}),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` that the video is downloaded to (default: it stays in the bucket)")
	cmd.Flags().BoolVar(&detach, "detach", false, "start, print the new id and do not wait")
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace a local output that exists")
	report.add(cmd)
	return cmd
}
