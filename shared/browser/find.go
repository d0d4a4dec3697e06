package browser

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"helios/shared/fault"
	"helios/shared/process"
)

// PathVariable is the environment variable with the path of the Chromium to run.
const PathVariable = "HELIOS_CHROMIUM"

// InstallHint is the command that installs a Chromium that [Launch] can use.
const InstallHint = "apt-get install -y chromium-headless-shell"

// names are the names of the headless shell in Linux distributions and in Chrome for Testing.
var names = []string{"chromium-headless-shell", "chrome-headless-shell", "headless-shell", "headless_shell"}

// Find returns the path of the headless shell: the value of [PathVariable], or else the first one on the PATH. The
// error is a fault.User and contains the command that installs it.
func Find() (string, error) {
	if path := os.Getenv(PathVariable); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fault.Userf("%s: cannot run %q; set it to the path of chromium-headless-shell",
				PathVariable, path)
		}
		return found, nil
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fault.Userf("chromium-headless-shell is not on the PATH; install it with: %s", InstallHint)
}

// Version runs the Chromium at path and returns its version, such as "156.0.8078.79".
func Version(ctx context.Context, path string) (string, error) {
	var out bytes.Buffer
	cmd := exec.Command(path, "--version")
	cmd.Stdout = &out
	p, err := process.Start(cmd)
	if err == nil {
		defer context.AfterFunc(ctx, p.Kill)()
		err = p.Wait()
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("reading the version of %s: %w", path, err)
	}
	for f := range strings.FieldsSeq(out.String()) {
		if f[0] >= '0' && f[0] <= '9' {
			return f, nil
		}
	}
	return "", fmt.Errorf("reading the version of %s: unexpected output %q", path, strings.TrimSpace(out.String()))
}
