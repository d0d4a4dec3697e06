// Package fault says whose fault an error is, for those who decide by it: a runner that retries, a
// command that chooses its exit code, a state machine that matches error names.
//
// It imports none of ours.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what to do about an error.
type Kind int

const (
	// Internal is every error that nobody classified: a defect or a broken machine.
	Internal Kind = iota
	// User means that the input is wrong: the same input fails again, and the person can mend it.
	User
	// Transient means that the same call may work the next time: a process was killed, a connection
	// broke.
	Transient
)

// String returns the kind's name as it stands in logs.
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

// Userf returns an error of kind [User], formatted as by [fmt.Errorf].
func Userf(format string, args ...any) error {
	return classified{User, fmt.Errorf(format, args...)}
}

// Transientf returns an error of kind [Transient], formatted as by [fmt.Errorf].
func Transientf(format string, args ...any) error {
	return classified{Transient, fmt.Errorf(format, args...)}
}

// As marks err as being of a kind; a nil err stays nil.
func As(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return classified{kind, err}
}

// Of returns the kind of err: that of the outermost classified error in its tree.
func Of(err error) Kind {
	var c classified
	if errors.As(err, &c) {
		return c.kind
	}
	return Internal
}
