package main

import (
	"github.com/spf13/cobra"

	"helios/shared/cloud"
)

func newCloudSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of render requests",
		Args:  userArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(cloud.RequestSchema())
			return err
		},
	}
}
