package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"helios/shared/cloud"
	"helios/shared/fault"
	"helios/shared/remote"
)

func newCloudLogs(stack *stackFlags) *cobra.Command {
	var (
		partition int
		follow    bool
	)
	cmd := &cobra.Command{
		Use:   "logs ID",
		Short: "Print the logs of failed attempts, or of one partition",
		Args:  userArgs(cobra.ExactArgs(1)),
	}
	cmd.RunE = stack.withStack(func(ctx context.Context, s *remote.Stack, id string) error {
		if err := atLeast(cmd, "partition", int64(partition), 0); err != nil {
			return err
		}
		p := &logPrinter{
			out: cmd.OutOrStdout(), stack: s, partition: partition,
			states: map[string]cloud.State{}, lines: map[cloud.Log]int{},
		}
		if follow {
			return p.follow(ctx, id)
		}
		r, err := s.Status(ctx, id, nil)
		if err != nil {
			return err
		}
		return p.printRest(ctx, r)
	})
	cmd.Flags().IntVar(&partition, "partition", -1, "`id` of a partition (default: all failed attempts)")
	cmd.Flags().Lookup("partition").DefValue = ""
	cmd.Flags().BoolVar(&follow, "follow", false, "print new lines until the render ends")
	return cmd
}

// logPrinter prints the logs of attempts, each line once.
type logPrinter struct {
	out       io.Writer
	stack     *remote.Stack
	partition int                    // negative: all failed attempts
	states    map[string]cloud.State // last printed state of each attempt
	lines     map[cloud.Log]int      // number of printed lines
}

// follow prints new lines until the render ends.
func (p *logPrinter) follow(ctx context.Context, id string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r, err := p.stack.Follow(ctx, id, pollInterval, func(r *remote.Render) {
		_, err := p.printAttempts(ctx, r)
		if err != nil && !errors.Is(err, remote.ErrNoLog) && fault.Of(err) != fault.Transient {
			cancel(err)
		}
	})
	if err != nil {
		return err
	}
	return p.printRest(ctx, r)
}

// printRest prints the remaining lines. It returns an error if no attempt matches.
func (p *logPrinter) printRest(ctx context.Context, r *remote.Render) error {
	n, err := p.printAttempts(ctx, r)
	if err != nil || n > 0 {
		return err
	}
	log, failed := r.FailureLog()
	switch {
	case p.partition >= 0 && r.Job == nil:
		return fault.Userf("the render %s has no partitions yet; retry later", r.ID)
	case p.partition >= 0 && p.partition >= r.Job.Partitions:
		return fault.Userf("the render %s has no partition %d; use 0 to %d", r.ID, p.partition, r.Job.Partitions-1)
	case p.partition >= 0:
		return fault.Userf("partition %d of %s was not started", p.partition, r.ID)
	case !failed:
		return fault.Userf("the render %s has no failed attempts; use --partition", r.ID)
	}
	// The render failed before it was planned.
	return p.printLog(ctx, log, r.Status == remote.Running)
}

// printAttempts prints new lines of the selected attempts, and returns the number of attempts.
func (p *logPrinter) printAttempts(ctx context.Context, r *remote.Render) (int, error) {
	match := func(u cloud.Usage) bool { return u.State == cloud.Failed }
	if p.partition >= 0 {
		match = func(u cloud.Usage) bool { return u.Unit == cloud.PartitionUnit(p.partition) }
	}
	list, err := p.stack.Attempts(ctx, r, match)
	if err != nil {
		return 0, err
	}
	for _, a := range list {
		if name := a.Unit + "." + a.Usage.Attempt; p.states[name] != a.State {
			p.states[name] = a.State
			fmt.Fprintf(p.out, "== %s, attempt %s: %s after %d frames, %.1f s, %d of %d MB\n",
				a.Unit, a.Usage.Attempt, a.State, a.Frames, float64(a.Milliseconds)/1000, a.UsedMB, a.MemoryMB)
			if a.Log.Error != "" {
				fmt.Fprintln(p.out, a.Log.Error)
			}
		}
		log := a.Log
		log.Error = "" // p.lines identifies logs by their location
		if err := p.printLog(ctx, log, a.State == cloud.Running); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}

func (p *logPrinter) printLog(ctx context.Context, log cloud.Log, running bool) error {
	printed, known := p.lines[log]
	if !known {
		fmt.Fprintf(p.out, "-- %s, stream %s, request %s\n", log.Group, log.Stream, log.RequestID)
		p.lines[log] = 0
	}
	lines, err := p.stack.ReadLog(ctx, log, running)
	if err != nil {
		return err
	}
	for _, l := range lines[min(printed, len(lines)):] {
		fmt.Fprintf(p.out, "%s  %s\n", l.Time.Format("15:04:05.000"), l.Text)
	}
	p.lines[log] = max(printed, len(lines))
	return nil
}
