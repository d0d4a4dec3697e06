package main

import (
	"errors"
	"regexp"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"helios/shared/fault"
	"helios/shared/job"
)

// explainFlag returns an error that names the flag and the remedy instead of the Go function that failed.
func explainFlag(cmd *cobra.Command, err error) error {
	var (
		invalid *pflag.InvalidValueError
		number  *strconv.NumError
	)
	if !errors.As(err, &invalid) {
		return fault.Userf("%w; see %s --help", err, cmd.CommandPath())
	}
	flag, cause := invalid.GetFlag(), errors.Unwrap(invalid)
	if errors.As(err, &number) {
		want := "a whole number"
		if flag.Value.Type() == "bool" {
			want = "true or false"
		}
		cause = job.Errorf("", "must be %s, got %q", want, invalid.GetValue())
		if errors.Is(number, strconv.ErrRange) {
			cause = job.Errorf("", "is too large: %s", invalid.GetValue())
		}
	}
	return flagError(flag.Name, cause)
}

// predicate matches problems that continue a sentence: "must be at least 1".
var predicate = regexp.MustCompile(`^(must|is) `)

func flagError(name string, cause error) error {
	if predicate.MatchString(cause.Error()) {
		return fault.Userf("--%s %w", name, cause)
	}
	return fault.Userf("--%s: %w", name, cause)
}

// nameFlag turns an error about a field into one about the flag that set it.
func nameFlag(cmd *cobra.Command, err error) error {
	var wrong *job.Error
	if !errors.As(err, &wrong) || wrong.Field == "" {
		return err
	}
	name := job.FlagName(wrong.Field)
	if flag := cmd.Flags().Lookup(name); flag == nil || !flag.Changed {
		return err
	}
	return flagError(name, errors.New(wrong.Problem))
}

// atLeast returns an error if a flag is given and its value is below least.
func atLeast(cmd *cobra.Command, name string, value, least int64) error {
	if cmd.Flags().Changed(name) && value < least {
		return fault.Userf("--%s must be at least %d, got %d", name, least, value)
	}
	return nil
}

// completeFiles completes an argument with files that have the extension.
func completeFiles(extension string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return []cobra.Completion{extension}, cobra.ShellCompDirectiveFilterFileExt
	}
}

// completeWords completes a flag with one of the words.
func completeWords(cmd *cobra.Command, flag string, words ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // there is no such flag
	}
}
