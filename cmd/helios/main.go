// Command helios renders an animated HTML page to a video.
//
// # Files
//
// One file per command: render.go, batch.go (helios render --batch), still.go, merge.go, audio.go, job.go,
// inspect.go, doctor.go, version.go, and cloud*.go for helios cloud. They turn flags into the options of
// [helios/shared/plan] and call [helios/shared/render] or [helios/shared/remote]. rendering.go renders one output, for
// a command or a row of a batch. options.go contains the flags that commands share, output.go and progress.go what
// commands print.
//
// # Output
//
// Results (the path of a video, JSON) go to standard output, progress and messages to standard error. An error is
// one line: helios: what failed: why; the remedy.
//
// # Tests
//
// testdata/script contains one script per topic, which runs the compiled command; see
// [github.com/rogpeppe/go-internal/testscript]. The script_*_test.go files define the commands of these scripts.
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
)

// Exit codes besides 0. The help of helios documents them.
const (
	exitFailed      = 1   // anything else, such as a crash
	exitUser        = 2   // the input or the command line is wrong
	exitInterrupted = 130 // 128 + SIGINT, as in a shell
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// The first signal cancels the context, so that commands clean up. The second one kills the process.
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
	if flag := cmd.Flags().Lookup("json"); flag != nil && flag.Value.String() == "true" {
		printJSON(os.Stdout, map[string]string{"type": "error", "kind": kind, "message": err.Error()})
	}
	return code
}

// isUserError reports whether only the user can fix the cause of err. A full disk is such a cause.
func isUserError(err error) bool {
	return fault.Of(err) == fault.User || errors.Is(err, syscall.ENOSPC)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "helios",
		Short: "Render animated HTML pages to video",
		Long: `Helios renders animated HTML, CSS, SVG, canvas and WebGL to video, frame by frame, on one machine
or on many.

Exit codes:
  0    success
  1    a failure that the user cannot fix, such as a crash
  2    the input or the command line is wrong
  130  interrupted by Ctrl-C or SIGTERM`,
		SilenceUsage:  true,
		SilenceErrors: true,
		// Cobra prints the help for an unknown command. It is an error instead.
		Args: userArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(explainFlag)
	root.AddCommand(newRender(), newStill(), newMerge(), newAudio(), newJob(), newInspect(), newCloud(), newDoctor(),
		newVersion())
	return root
}

// userArgs turns the errors of validate into user errors that contain the usage.
func userArgs(validate cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := validate(cmd, args); err != nil {
			return fault.Userf("%w; usage: %s", err, cmd.UseLine())
		}
		return nil
	}
}
