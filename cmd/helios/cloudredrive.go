package main

import (
	"context"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"helios/shared/remote"
	"helios/shared/render"
)

// idSuffix matches the time and the random suffix that newID appends.
var idSuffix = regexp.MustCompile(`-\d{8}-\d{6}-[0-9a-f]{6}$`)

func newCloudRedrive(stack *stackFlags) *cobra.Command {
	var (
		output    string
		overwrite bool
		detach    bool
		report    reportFlags
	)
	cmd := &cobra.Command{
		Use:   "redrive ID",
		Short: "Start a failed or cancelled render again",
		Long: `Start a failed or cancelled render again, with a new id. It is the same job: chunks that exist
are kept.`,
		Args: userArgs(cobra.ExactArgs(1)),
		RunE: stack.withStack(func(ctx context.Context, s *remote.Stack, id string) error {
			if output != "" && detach {
				return errDetach(output)
			}
			if output != "" {
				if err := render.CheckOutput(output, overwrite); err != nil {
					return err
				}
			}
			name := id[strings.LastIndexByte(id, ':')+1:] // of an ARN
			next := newID(idSuffix.ReplaceAllString(name, ""))
			if err := s.Redrive(ctx, id, next); err != nil {
				return err
			}
			rep := newReporter(report)
			defer rep.close()
			if detach {
				return rep.cloudStarted(next)
			}
			rep.logf("%s started", next)
			f := &follower{stack: s, reporter: rep, file: output, overwrite: overwrite}
			return f.follow(ctx, next)
		}),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&output, "output", "o", "", "local `file` (default: the output stays in the bucket)")
	cmd.Flags().BoolVar(&detach, "detach", false, "start the render, print its id and do not wait")
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace a local output that exists")
	report.add(cmd)
	return cmd
}
