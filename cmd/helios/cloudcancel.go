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
		Short: "End a render that runs",
		Long: `End a render that runs. Partitions that are being rendered end within their function's time;
chunks that are there stay, and "helios cloud redrive" goes on with them.`,
		Args: userArgs(cobra.ExactArgs(1)),
	}
	cmd.RunE = stack.onStack(func(ctx context.Context, s *remote.Stack, id string) error {
		if err := s.Cancel(ctx, id); err != nil {
			return err
		}
		_, err := fmt.Fprintf(cmd.ErrOrStderr(), "%s is cancelled\n", id)
		return err
	})
	return cmd
}
