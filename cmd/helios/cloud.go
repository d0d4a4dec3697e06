package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"helios/shared/cloud"
	"helios/shared/remote"
)

// stackFlags select the stack.
type stackFlags struct{ endpoint, bucket, machine string }

func newCloud() *cobra.Command {
	f := &stackFlags{}
	cmd := &cobra.Command{
		Use:   "cloud",
		Short: "Render on AWS, and manage renders there",
		Long: `Render on AWS, and manage renders there. "make deploy" creates the necessary stack.

The commands find credentials and region where all AWS programs do: AWS_PROFILE, AWS_REGION,
AWS_ACCESS_KEY_ID and so on.`,
		Args: userArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	fs := cmd.PersistentFlags()
	fs.SortFlags = false
	fs.StringVar(&f.bucket, "bucket", os.Getenv(cloud.BucketVariable),
		"`name` of the bucket: output Bucket of the stack (default: "+cloud.BucketVariable+")")
	fs.StringVar(&f.machine, "state-machine", os.Getenv(cloud.StateMachineVariable),
		"`ARN` of the state machine: output StateMachine of the stack (default: "+cloud.StateMachineVariable+")")
	fs.StringVar(&f.endpoint, "endpoint-url", "", "`URL` of a server to use instead of AWS (default: AWS_ENDPOINT_URL)")
	for _, flag := range []string{"bucket", "state-machine"} {
		fs.Lookup(flag).DefValue = "" // the help shows the name of the variable and not its value
	}
	cmd.AddCommand(newCloudRender(f), newCloudStatus(f), newCloudList(f), newCloudFetch(f), newCloudLogs(f),
		newCloudCancel(f), newCloudRedrive(f), newCloudQuota(f), newCloudSchema())
	return cmd
}

// open opens the stack that the flags and the environment select.
func (f *stackFlags) open(ctx context.Context) (*remote.Stack, error) {
	if f.endpoint != "" {
		// The SDK reads the endpoint from the environment. A variable of a single service would take precedence.
		for _, service := range []string{"S3", "SFN", "LAMBDA", "CLOUDWATCH_LOGS"} {
			os.Unsetenv("AWS_ENDPOINT_URL_" + service)
		}
		os.Setenv("AWS_ENDPOINT_URL", f.endpoint)
	}
	return remote.Open(ctx, f.bucket, f.machine)
}

// withStack returns a RunE function that calls run with the stack and with the argument of the command, if any.
func (f *stackFlags) withStack(
	run func(ctx context.Context, s *remote.Stack, arg string) error,
) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		s, err := f.open(cmd.Context())
		if err != nil {
			return err
		}
		defer s.Close()
		arg := ""
		if len(args) > 0 {
			arg = args[0]
		}
		return run(cmd.Context(), s, arg)
	}
}
