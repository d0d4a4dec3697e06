//go:build cloud

package functions

import (
	"bytes"
	"os/exec"
	"testing"
)

// Only the binary of the chunk function contains the code that opens pages.
func TestOnlyChunkBinaryOpensPages(t *testing.T) {
	for name, want := range map[string]bool{"chunk": true, "plan": false, "merge": false} {
		symbols, err := exec.CommandContext(t.Context(), "go", "tool", "nm", build(t, name)).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Contains(symbols, []byte("helios/shared/capture.(*Player).Play")); got != want ||
			!bytes.Contains(symbols, []byte("main.main")) {
			t.Errorf("%s opens pages: %t", name, got)
		}
	}
}
