package encode

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Encoders returns which of the encoders in [Codecs] the ffmpeg at path has.
func Encoders(ctx context.Context, path string) (map[string]bool, error) {
	out, err := exec.CommandContext(ctx, path, "-hide_banner", "-encoders").Output()
	if err != nil {
		return nil, fmt.Errorf("listing the encoders of %s: %w", path, err)
	}
	has := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 1 && codecs[fields[1]] != nil {
			has[fields[1]] = true
		}
	}
	return has, nil
}
