package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ExampleOf() {
	err := fmt.Errorf("rendering partition 3: %w", Transientf("Chromium was killed"))
	fmt.Println(err)
	fmt.Println(Of(err))
	// Output:
	// rendering partition 3: Chromium was killed
	// transient
}

type invalid struct{ error }

func (invalid) Kind() Kind { return User }

func TestOf(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want Kind
	}{
		{"nil", nil, Internal},
		{"unclassified", io.EOF, Internal},
		{"user", Userf("bad %s", "input"), User},
		{"transient", Transientf("connection lost"), Transient},
		{"wrapped by Wrap", Wrap(User, io.EOF), User},
		{"wrapped by fmt.Errorf", fmt.Errorf("frame 3: %w", Transientf("connection lost")), Transient},
		{"joined", errors.Join(io.EOF, Userf("bad input")), User},
		{"the outermost kind wins", Transientf("retry: %w", Userf("bad input")), Transient},
		{"an error type with a method Kind", fmt.Errorf("page: %w", invalid{io.EOF}), User},
		{"the outermost kind wins in Wrap", Wrap(Internal, Userf("bad input")), Internal},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Of(test.err); got != test.want {
				t.Errorf("Of(%v) = %s, want %s", test.err, got, test.want)
			}
		})
	}
}

func TestTextAndCauseAreKept(t *testing.T) {
	err := Userf("opening a.html: %w", io.ErrUnexpectedEOF)
	if got, want := err.Error(), "opening a.html: unexpected EOF"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(Wrap(Transient, err), io.ErrUnexpectedEOF) {
		t.Error("errors.Is does not find the cause")
	}
	if err := Wrap(User, nil); err != nil {
		t.Errorf("Wrap(User, nil) = %v, want nil", err)
	}
}

func TestKindString(t *testing.T) {
	for kind, want := range map[Kind]string{Internal: "internal", User: "user", Transient: "transient"} {
		if got := kind.String(); got != want {
			t.Errorf("Kind(%d).String() = %q, want %q", kind, got, want)
		}
	}
}
