// Package ffmpeg finds and runs ffmpeg, and says in one sentence why it failed.
package ffmpeg

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"helios/shared/fault"
)

// PathVariable names the environment variable that says which ffmpeg to run, instead of the one on the
// PATH.
const PathVariable = "HELIOS_FFMPEG"

// InstallHint is what to type to get an ffmpeg that Helios can use.
const InstallHint = "apt-get install -y ffmpeg"

// Find returns the path of ffmpeg. The error, a fault.User, says how to install it.
func Find() (string, error) {
	if path := os.Getenv(PathVariable); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fault.Userf("%s is set to %q, which cannot be run; point it at ffmpeg", PathVariable, path)
		}
		return found, nil
	}
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return "", fault.Userf("no ffmpeg was found on the PATH; install it with: %s", InstallHint)
	}
	return path, nil
}

// FindProbe returns the path of the ffprobe that came with the ffmpeg which [Find] finds: the one beside it, or
// else the one on the PATH. The error, a fault.User, says how to install it.
func FindProbe() (string, error) {
	path, err := Find()
	if err != nil {
		return "", err
	}
	if beside, err := exec.LookPath(filepath.Join(filepath.Dir(path), "ffprobe")); err == nil {
		return beside, nil
	}
	path, err = exec.LookPath("ffprobe")
	if err != nil {
		return "", fault.Userf("no ffprobe was found on the PATH; install it with: %s", InstallHint)
	}
	return path, nil
}

// Version returns the version of the ffmpeg at path, such as "5.1.9-0+deb12u1".
func Version(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "-version").Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w", path, err)
	}
	fields := strings.Fields(string(out))
	if len(fields) < 3 || fields[1] != "version" {
		return "", fmt.Errorf("%s answered %.60q when asked for its version", path, out)
	}
	return fields[2], nil
}
