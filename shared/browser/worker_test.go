package browser

import "testing"

func TestWithoutFeature(t *testing.T) {
	for policy, want := range map[string]string{
		"camera=()":          "camera=()",
		"display-capture=()": "",
		"camera=(), display-capture=(self), usb=()": "camera=(), usb=()",
	} {
		if got := withoutFeature(policy, "display-capture"); got != want {
			t.Errorf("withoutFeature(%q) = %q, want %q", policy, got, want)
		}
	}
}
