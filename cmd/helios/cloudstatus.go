package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"helios/shared/cloud"
	"helios/shared/remote"
)

func newCloudStatus(stack *stackFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status ID",
		Short: "Print the progress of a render and its cost so far",
		Args:  userArgs(cobra.ExactArgs(1)),
	}
	cmd.RunE = stack.withStack(func(ctx context.Context, s *remote.Stack, id string) error {
		r, err := s.Status(ctx, id, nil)
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
		}
		return printRender(cmd.OutOrStdout(), r)
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, including each partition")
	return cmd
}

func printRender(out io.Writer, r *remote.Render) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name string, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("render", "%s", r.ID)
	row("status", "%s", r.Status)
	row("started", "%s", r.Started.UTC().Format(time.RFC3339))
	row("duration", "%s", duration(r))
	if r.Request != nil {
		row("input", "%s", r.Request.Input)
	}
	if r.Job != nil {
		row("job", "%s", r.Job.JobID)
		row("output", "%s", r.Job.Output)
	}
	if p := r.Progress; p != nil {
		row("frames", "%d of %d", p.Frames, r.Job.Frames)
		running := 0
		for _, q := range p.Partitions {
			if q.State == cloud.Running {
				running++
			}
		}
		row("partitions", "%d of %d done, %d running, %d failed attempts", p.Done, r.Job.Partitions, running, p.Failed)
		row("cost", "about $%.4f", p.Dollars)
		for _, id := range slices.Sorted(maps.Keys(p.Partitions)) {
			if q := p.Partitions[id]; q.State == cloud.Failed {
				row("", "partition %d failed after %d frames and %d attempts; see helios cloud logs %s --partition %d",
					id, q.Frames, q.Attempts, r.ID, id)
			}
		}
	}
	if r.Message != "" {
		row("error", "%s: %s", r.Error, r.Message)
	}
	return w.Flush()
}

// duration returns how long a render has been running, or ran.
func duration(r *remote.Render) time.Duration {
	end := r.Ended
	if end.IsZero() {
		end = time.Now()
	}
	return end.Sub(r.Started).Round(time.Second)
}
