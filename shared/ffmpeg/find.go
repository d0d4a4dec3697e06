// Package ffmpeg finds and runs ffmpeg and ffprobe.
//
// # Executables
//
// [Find] returns the ffmpeg that HELIOS_FFMPEG names, or else the first one on the PATH. [FindProbe] prefers the
// ffprobe in the same folder.
//
// # Errors
//
// [Run] returns the last line of ffmpeg's output as the error. If ffmpeg cannot write its output, [WriteError] returns
// the reason, such as a full disk.
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

// PathVariable is the environment variable with the path of the ffmpeg to run.
const PathVariable = "HELIOS_FFMPEG"

// InstallHint is the command that installs ffmpeg.
const InstallHint = "apt-get install -y ffmpeg"

// Find returns the path of ffmpeg. The error is a fault.User and contains the command that installs it.
func Find() (string, error) {
	if path := os.Getenv(PathVariable); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fault.Userf("%s: cannot run %q; set it to the path of ffmpeg", PathVariable, path)
		}
		return found, nil
	}
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return "", fault.Userf("ffmpeg is not on the PATH; install it with: %s", InstallHint)
	}
	return path, nil
}

// FindProbe returns the path of ffprobe: the one in the folder of ffmpeg, or else the first one on the PATH. The error
// is a fault.User and contains the command that installs it.
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
		return "", fault.Userf("ffprobe is not on the PATH; install it with: %s", InstallHint)
	}
	return path, nil
}

// Version runs the ffmpeg at path and returns its version, such as "5.1.9-0+deb12u1".
func Version(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "-version").Output()
	if err != nil {
		return "", fmt.Errorf("reading the version of %s: %w", path, err)
	}
	fields := strings.Fields(string(out))
	if len(fields) < 3 || fields[1] != "version" {
		return "", fmt.Errorf("reading the version of %s: unexpected output %.60q", path, out)
	}
	return fields[2], nil
}
