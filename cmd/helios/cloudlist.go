package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"helios/shared/fault"
	"helios/shared/remote"
)

func newCloudList(stack *stackFlags) *cobra.Command {
	var (
		limit  int
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the latest renders",
		Args:  userArgs(cobra.NoArgs),
	}
	cmd.RunE = stack.withStack(func(ctx context.Context, s *remote.Stack, _ string) error {
		if limit < 1 {
			return fault.Userf("--limit must be at least 1, got %d", limit)
		}
		list, err := s.List(ctx, limit)
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(list)
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		for _, r := range list {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.ID, r.Status, r.Started.UTC().Format(time.RFC3339), duration(&r))
		}
		return w.Flush()
	})
	cmd.Flags().IntVar(&limit, "limit", 20, "`number` of renders")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
