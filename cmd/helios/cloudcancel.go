package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"helios/shared/remote"
)

func newCloudCancel(stack *stackFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cancel ID",
		Short: "Stop a running render",
		Long: `Stop a running render. Functions that are rendering a partition finish it. Chunks that exist
remain, and "helios cloud redrive" keeps them.`,
		Args: userArgs(cobra.ExactArgs(1)),
	}
	cmd.RunE = stack.withStack(func(ctx context.Context, s *remote.Stack, id string) error {
		if err := s.Cancel(ctx, id); err != nil {
			return err
		}
		_, err := fmt.Fprintf(cmd.ErrOrStderr(), "%s was cancelled\n", id)
		return err
	})
	return cmd
}
