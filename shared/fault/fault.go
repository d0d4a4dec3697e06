// Package fault classifies errors: can the user fix them, can a retry succeed, or neither?
//
//   - A [User] error is an error in the input: a flag, a job spec, the page, a missing file. A retry with the same
//     input fails again. The message says how to fix the input.
//   - A [Transient] error may not happen again: Chromium was killed, a connection broke. The caller retries.
//   - All other errors are [Internal]: a bug in Helios or a broken machine.
//
// The kind determines whether a runner retries, the exit code of the command, and the error name that the Step
// Functions state machine matches.
//
// # Usage
//
// Classify an error where its cause is known, with [Userf], [Transientf] or [Wrap]. Wrapping with %w keeps the kind.
// [Of] returns the kind. Other packages can define error types with a method Kind, such as job.Error.
package fault

import (
	"errors"
	"fmt"
)

// Kind classifies an error.
type Kind int

const (
	// Internal is the kind of unclassified errors.
	Internal Kind = iota
	// User means that the input is wrong. Retrying does not help.
	User
	// Transient means that a retry may succeed.
	Transient
)

// String returns the name of the kind, for logs.
func (k Kind) String() string {
	switch k {
	case User:
		return "user"
	case Transient:
		return "transient"
	default:
		return "internal"
	}
}

type classified struct {
	kind Kind
	error
}

func (c classified) Unwrap() error { return c.error }
func (c classified) Kind() Kind    { return c.kind }

// Userf returns an error of kind [User]. It formats as [fmt.Errorf] does.
func Userf(format string, args ...any) error {
	return classified{User, fmt.Errorf(format, args...)}
}

// Transientf returns an error of kind [Transient]. It formats as [fmt.Errorf] does.
func Transientf(format string, args ...any) error {
	return classified{Transient, fmt.Errorf(format, args...)}
}

// Wrap returns err with the given kind, which replaces the kind of err. It returns nil if err is nil.
func Wrap(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return classified{kind, err}
}

// Of returns the kind of err: that of the outermost error in its tree that has a method Kind, or [Internal].
func Of(err error) Kind {
	var c interface{ Kind() Kind }
	if errors.As(err, &c) {
		return c.Kind()
	}
	return Internal
}
