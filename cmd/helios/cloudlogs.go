package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"helios/shared/cloud"
	"helios/shared/fault"
	"helios/shared/remote"
)

func newCloudLogs(stack *stackFlags) *cobra.Command {
	var partition int
	cmd := &cobra.Command{
		Use:   "logs ID",
		Short: "Print what the functions said: about what failed, or about one partition",
		Args:  userArgs(cobra.ExactArgs(1)),
	}
	cmd.RunE = stack.onStack(func(ctx context.Context, s *remote.Stack, id string) error {
		if err := atLeast(cmd, "partition", int64(partition), 0); err != nil {
			return err
		}
		r, err := s.Look(ctx, id, nil)
		if err != nil {
			return err
		}
		want := func(u cloud.Usage) bool { return u.State == cloud.Failed }
		if partition >= 0 {
			want = func(u cloud.Usage) bool { return u.Unit == cloud.PartitionUnit(partition) }
		}
		attempts, err := s.Attempts(ctx, r, want)
		if err != nil {
			return err
		}
		return printLogs(ctx, cmd.OutOrStdout(), s, r, attempts, partition)
	})
	cmd.Flags().IntVar(&partition, "partition", -1, "`id` of a partition, failed or not (default: all that failed)")
	cmd.Flags().Lookup("partition").DefValue = ""
	return cmd
}

func printLogs(ctx context.Context, out io.Writer, s *remote.Stack, r *remote.Render, attempts []remote.Attempt, partition int) error {
	if len(attempts) == 0 {
		log, failed := r.FailureLog()
		switch {
		case partition >= 0 && r.Job == nil:
			return fault.Userf("the render %s has no partitions yet", r.ID)
		case partition >= 0 && partition >= r.Job.Partitions:
			return fault.Userf("the render %s has the partitions 0 to %d, not %d", r.ID, r.Job.Partitions-1, partition)
		case partition >= 0:
			return fault.Userf("partition %d of %s was not begun", partition, r.ID)
		case !failed:
			return fault.Userf("nothing of %s has failed; name a partition by --partition", r.ID)
		}
		// It failed before there were partitions.
		return printLog(ctx, out, s, log, r.Status == remote.Running)
	}
	for _, a := range attempts {
		fmt.Fprintf(out, "== %s, attempt %s: %s after %d frames, %.1f s, %d of %d MB\n", a.Unit, a.Usage.Attempt, a.State, a.Frames, float64(a.Milliseconds)/1000, a.UsedMB, a.MemoryMB)
		if a.Log.Error != "" {
			fmt.Fprintln(out, a.Log.Error)
		}
		if err := printLog(ctx, out, s, a.Log, a.State == cloud.Running); err != nil {
			return err
		}
	}
	return nil
}

func printLog(ctx context.Context, out io.Writer, s *remote.Stack, log cloud.Log, running bool) error {
	fmt.Fprintf(out, "-- %s, stream %s, request %s\n", log.Group, log.Stream, log.RequestID)
	lines, err := s.ReadLog(ctx, log, running)
	if err != nil {
		return err
	}
	for _, l := range lines {
		fmt.Fprintf(out, "%s  %s\n", l.Time.Format("15:04:05.000"), l.Text)
	}
	return nil
}
