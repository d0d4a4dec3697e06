// Command helios turns an HTML page that animates into a video.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"helios/shared/fault"
	"helios/shared/job"
)

// Exit codes, besides 0. The help of helios tells them.
const (
	exitFailed      = 1   // the render failed: a crash, a broken machine
	exitUser        = 2   // the input or the command line is wrong
	exitInterrupted = 130 // as of a program that SIGINT killed
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// The first signal makes us clean up, the second one kills.
	context.AfterFunc(ctx, stop)
	cmd, err := newRoot().ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	kind, code := fault.Of(err).String(), exitFailed
	switch {
	case ctx.Err() != nil:
		kind, code, err = "interrupted", exitInterrupted, errors.New("interrupted")
	case isUserError(err):
		kind, code, err = fault.User.String(), exitUser, nameFlag(cmd, err)
	}
	fmt.Fprintln(os.Stderr, "helios:", err)
	if asked := cmd.Flags().Lookup("json"); asked != nil && asked.Value.String() == "true" {
		json.NewEncoder(os.Stdout).Encode(map[string]string{"type": "error", "kind": kind, "message": err.Error()})
	}
	return code
}

// isUserError reports whether the user can fix err. A full disk counts, because only the user can make room.
func isUserError(err error) bool {
	var wrong *job.Error
	return errors.As(err, &wrong) || fault.Of(err) == fault.User || errors.Is(err, syscall.ENOSPC)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "helios",
		Short: "Turn an HTML page that animates into a video",
		Long: `Helios renders HTML, CSS, SVG, canvas and WebGL animations to video, frame by frame, on one
machine or on many.

Exit codes: 0 when all went well, 2 when the input or the command line is wrong, 1 when something
else went wrong, such as a crash, and 130 after Ctrl-C or SIGTERM.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		// A mistyped command is an error, not a page of help.
		Args: userArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(explainFlag)
	root.AddCommand(newRender(), newStill(), newMerge(), newAudio(), newJob(), newInspect(), newCloud(), newDoctor(), newVersion())
	return root
}

// userArgs makes the errors about arguments the user's.
func userArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return fault.Userf("%w; usage: %s", err, cmd.UseLine())
		}
		return nil
	}
}
