package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"helios/shared/cloud"
	"helios/shared/remote"
)

// stackFlags are the flags that say which stack is meant.
type stackFlags struct{ endpoint, bucket, machine string }

func newCloud() *cobra.Command {
	f := &stackFlags{}
	cmd := &cobra.Command{
		Use:   "cloud",
		Short: "Render on AWS, and look after renders there",
		Long: `Render on AWS, by a stack that "sam deploy" has made, and look after renders there.

Credentials and region come from where every program for AWS has them: AWS_PROFILE, AWS_REGION,
AWS_ACCESS_KEY_ID and so on.`,
		Args: userArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	fs := cmd.PersistentFlags()
	fs.SortFlags = false
	fs.StringVar(&f.bucket, "bucket", os.Getenv(cloud.BucketVariable), "`name` of the stack's bucket, its output Bucket (default: "+cloud.BucketVariable+")")
	fs.StringVar(&f.machine, "state-machine", os.Getenv(cloud.StateMachineVariable), "`ARN` of the stack's state machine, its output StateMachine (default: "+cloud.StateMachineVariable+")")
	fs.StringVar(&f.endpoint, "endpoint-url", "", "`URL` of a server to talk to instead of AWS (default: AWS_ENDPOINT_URL)")
	for _, flag := range []string{"bucket", "state-machine"} {
		fs.Lookup(flag).DefValue = "" // the help shows where it comes from, not what it is
	}
	cmd.AddCommand(newCloudRender(f), newCloudStatus(f), newCloudList(f), newCloudFetch(f), newCloudLogs(f), newCloudCancel(f), newCloudRedrive(f), newCloudQuota(f))
	return cmd
}

// open returns the stack that the flags and the environment name.
func (f *stackFlags) open(ctx context.Context) (*remote.Stack, error) {
	if f.endpoint != "" {
		// The SDK reads it there, and that of a single service would win.
		for _, service := range []string{"S3", "SFN", "LAMBDA", "CLOUDWATCH_LOGS"} {
			os.Unsetenv("AWS_ENDPOINT_URL_" + service)
		}
		os.Setenv("AWS_ENDPOINT_URL", f.endpoint)
	}
	return remote.Open(ctx, f.bucket, f.machine)
}

// onStack makes a command's function of one that needs the stack and the command's argument, if it has one.
func (f *stackFlags) onStack(do func(ctx context.Context, s *remote.Stack, arg string) error) func(*cobra.Command, []string) error {
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
		return do(cmd.Context(), s, arg)
	}
}
