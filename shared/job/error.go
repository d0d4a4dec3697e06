package job

import (
	"errors"
	"fmt"

	"helios/shared/fault"
)

// Error is a user error in an option, a flag or a field of a job spec.
type Error struct {
	// Field is the JSON path of the field, such as partitions[3].frameCount. It is empty if the error is not in one
	// field.
	Field string
	// Problem describes the error and how to fix it.
	Problem string
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

// Kind returns [fault.User].
func (e *Error) Kind() fault.Kind { return fault.User }

// Errorf returns an [*Error] about a field.
func Errorf(field, format string, args ...any) error {
	return &Error{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// inField prefixes the field of an [*Error] with that of its parent.
func inField(parent string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	field := parent
	if e.Field != "" {
		field += "." + e.Field
	}
	return &Error{Field: field, Problem: e.Problem}
}
