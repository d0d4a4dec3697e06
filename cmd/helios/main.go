// Command helios turns an HTML page that animates into a video.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"helios/shared/fault"
	"helios/shared/job"
)

// Exit codes, besides 0.
const (
	exitFailed      = 1   // the render failed: a crash, a broken machine
	exitUser        = 2   // the input or the command line is wrong
	exitInterrupted = 130 // as of a program that SIGINT killed
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := newRoot().ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "helios: interrupted")
		return exitInterrupted
	}
	fmt.Fprintln(os.Stderr, "helios:", err)
	if isUserFault(err) {
		return exitUser
	}
	return exitFailed
}

func isUserFault(err error) bool {
	var wrong *job.Error
	return errors.As(err, &wrong) || fault.Of(err) == fault.User
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "helios",
		Short:         "Turn an HTML page that animates into a video",
		Long:          "Helios renders HTML, CSS, SVG, canvas and WebGL animations to video, frame by frame, on one machine or on many.",
		SilenceUsage:  true,
		SilenceErrors: true,
		// A mistyped command is an error, not a page of help.
		Args: userArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fault.Userf("%w; see %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(newRender(), newMerge(), newJob(), newInspect(), newDoctor(), newVersion())
	return root
}

// userArgs makes the errors about arguments the user's.
func userArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return fault.Userf("%w; see %s --help", err, cmd.CommandPath())
		}
		return nil
	}
}
