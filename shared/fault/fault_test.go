package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOf(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want Kind
	}{
		{"nil", nil, Internal},
		{"unclassified", io.EOF, Internal},
		{"user", Userf("bad %s", "input"), User},
		{"transient", Transientf("it broke"), Transient},
		{"marked", As(User, io.EOF), User},
		{"wrapped", fmt.Errorf("frame 3: %w", Transientf("it broke")), Transient},
		{"joined", errors.Join(io.EOF, Userf("bad input")), User},
		{"the outermost counts", Transientf("once more: %w", Userf("bad input")), Transient},
		{"also when marked", As(Internal, Userf("bad input")), Internal},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Of(test.err); got != test.want {
				t.Errorf("Of(%v) = %s, want %s", test.err, got, test.want)
			}
		})
	}
}

func TestClassifiedErrorsAreStillThemselves(t *testing.T) {
	err := Userf("opening a.html: %w", io.ErrUnexpectedEOF)
	if got, want := err.Error(), "opening a.html: unexpected EOF"; got != want {
		t.Errorf("the text is %q, want %q", got, want)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(As(Transient, err), io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	if err := As(User, nil); err != nil {
		t.Errorf("As(User, nil) = %v", err)
	}
}

func TestKindNames(t *testing.T) {
	for kind, want := range map[Kind]string{Internal: "internal", User: "user", Transient: "transient"} {
		if got := kind.String(); got != want {
			t.Errorf("%d is called %q, want %q", kind, got, want)
		}
	}
}
