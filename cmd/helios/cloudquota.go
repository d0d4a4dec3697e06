package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"helios/shared/fault"
	"helios/shared/remote"
)

func newCloudQuota(stack *stackFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "quota [JOB]",
		Short: "Print the concurrency quota of the account",
		Long: `Print how many functions the account runs at once. With a job spec (a file) or the id of a
render, also print in how many rounds its partitions are rendered.`,
		Args: userArgs(cobra.MaximumNArgs(1)),
	}
	cmd.RunE = stack.withStack(func(ctx context.Context, s *remote.Stack, job string) error {
		q, err := s.Quota(ctx)
		if err != nil {
			return err
		}
		report := struct {
			remote.Quota
			Partitions int `json:"partitions,omitempty"`
			Rounds     int `json:"rounds,omitempty"`
		}{Quota: q}
		if job != "" {
			if report.Partitions, err = partitionsOf(ctx, s, job); err != nil {
				return err
			}
			report.Rounds = q.Rounds(report.Partitions)
		}
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(report)
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintf(w, "quota\t%d concurrent calls\n", q.Account)
		fmt.Fprintf(w, "unreserved\t%d concurrent calls\n", q.Free)
		if job != "" {
			fmt.Fprintf(w, "partitions\t%d\n", report.Partitions)
			fmt.Fprintf(w, "rounds\t%d\n", report.Rounds)
		}
		if report.Rounds > 1 {
			fmt.Fprintln(w, "\tto raise the quota: Service Quotas, AWS Lambda, Concurrent executions")
		}
		return w.Flush()
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// partitionsOf returns the number of partitions of a job spec (a file) or a render (an id).
func partitionsOf(ctx context.Context, s *remote.Stack, job string) (int, error) {
	if _, err := os.Stat(job); err == nil {
		spec, err := readSpec(ctx, job)
		if err != nil {
			return 0, err
		}
		return len(spec.Partitions), nil
	}
	r, err := s.Status(ctx, job, nil)
	if err != nil {
		return 0, err
	}
	if r.Job == nil {
		return 0, fault.Userf("the render %s is not planned yet; retry later", r.ID)
	}
	return r.Job.Partitions, nil
}
