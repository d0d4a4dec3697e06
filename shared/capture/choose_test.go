package capture

import (
	"testing"
	"time"
)

// A way that kept up once is not slow as such, however late its other pictures were.
func TestWhatIsSlow(t *testing.T) {
	const reference = 300 * time.Millisecond
	for _, test := range []struct {
		name string
		took []time.Duration
		want bool
	}{
		{"photographs", []time.Duration{2 * time.Second, 2 * time.Second}, true},
		{"one picture proves nothing", []time.Duration{20 * time.Second}, false},
		{"a busy machine", []time.Duration{3 * time.Second, 500 * time.Millisecond, 3 * time.Second, 3 * time.Second}, false},
		{"a little slower", []time.Duration{700 * time.Millisecond, 700 * time.Millisecond, 700 * time.Millisecond, 700 * time.Millisecond}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var p pace
			for _, took := range test.took {
				p.note(took, reference)
			}
			if p.slow() != test.want {
				t.Errorf("slow is %t", !test.want)
			}
		})
	}
}
