package job

import (
	"errors"
	"fmt"
)

// Error is a fault in what the user gave: an option, a flag or a field of a job spec. Trying again
// does not heal it.
type Error struct {
	// Field is the JSON path of the faulty field, such as partitions[3].frameCount. It is empty when
	// the fault is not in one field.
	Field string
	// Problem says what is wrong and what to do about it.
	Problem string
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

// Errorf returns an [*Error] about a field.
func Errorf(field, format string, args ...any) error {
	return &Error{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// inside moves the field of an [*Error] below a parent.
func inside(parent string, err error) error {
	var fault *Error
	if !errors.As(err, &fault) {
		return err
	}
	field := parent
	if fault.Field != "" {
		field += "." + fault.Field
	}
	return &Error{Field: field, Problem: fault.Problem}
}
