package main

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"helios/shared/fault"
	"helios/shared/job"
)

// explainFlag says in our words what is wrong with a flag.
func explainFlag(cmd *cobra.Command, err error) error {
	var (
		invalid *pflag.InvalidValueError
		number  *strconv.NumError
	)
	switch {
	case !errors.As(err, &invalid):
		return fault.Userf("%w; see %s --help", err, cmd.CommandPath())
	case !errors.As(err, &number):
		return fault.Userf("--%s: %w", invalid.GetFlag().Name, errors.Unwrap(invalid))
	case errors.Is(number, strconv.ErrRange):
		return fault.Userf("--%s is too large: %s", invalid.GetFlag().Name, invalid.GetValue())
	}
	want := map[string]string{"bool": "true or false", "uint32": "a whole number of at least 0"}[invalid.GetFlag().Value.Type()]
	if want == "" {
		want = "a whole number"
	}
	return fault.Userf("--%s must be %s, got %q", invalid.GetFlag().Name, want, invalid.GetValue())
}

var capital = regexp.MustCompile("[A-Z]")

// nameFlag makes an error about an option's field one about the flag that set it.
func nameFlag(cmd *cobra.Command, err error) error {
	var wrong *job.Error
	if !errors.As(err, &wrong) || wrong.Field == "" {
		return err
	}
	name := strings.ToLower(capital.ReplaceAllString(wrong.Field, "-$0"))
	if flag := cmd.Flags().Lookup(name); flag == nil || !flag.Changed {
		return err
	}
	if strings.HasPrefix(wrong.Problem, "must ") {
		return fault.Userf("--%s %s", name, wrong.Problem)
	}
	return fault.Userf("--%s: %s", name, wrong.Problem)
}

// atLeast refuses a number that was given and is too small. One that was left out is not wrong.
func atLeast(cmd *cobra.Command, name string, value, least int64) error {
	if cmd.Flags().Changed(name) && value < least {
		return fault.Userf("--%s must be at least %d, got %d", name, least, value)
	}
	return nil
}

// completeFiles completes an argument with the files of a kind.
func completeFiles(extension string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return []cobra.Completion{extension}, cobra.ShellCompDirectiveFilterFileExt
	}
}

// completeWords completes a flag with one of some words.
func completeWords(cmd *cobra.Command, flag string, words ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}
