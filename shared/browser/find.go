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

// PathVariable names the environment variable that says which Chromium to run, instead of the first
// of [names] on the PATH.
const PathVariable = "HELIOS_CHROMIUM"

// InstallHint is what to type to get a Chromium that [Launch] can use.
const InstallHint = "apt-get install -y chromium-headless-shell"

// names are what distributions and Chrome for Testing call the headless shell. Chromium's other headless
// mode draws when it likes, not when it is told.
var names = []string{"chromium-headless-shell", "chrome-headless-shell", "headless-shell", "headless_shell"}

// Find returns the path of the Chromium that [Launch] runs. The error, a fault.User, says how to install
// one.
func Find() (string, error) {
	if path := os.Getenv(PathVariable); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fault.Userf("%s is set to %q, which cannot be run; point it at chromium-headless-shell", PathVariable, path)
		}
		return found, nil
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fault.Userf("no chromium-headless-shell was found on the PATH; install it with: %s", InstallHint)
}

// Version returns the version of the Chromium at path, such as "156.0.8078.79".
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
		return "", fmt.Errorf("asking %s for its version: %w", path, err)
	}
	for f := range strings.FieldsSeq(out.String()) {
		if f[0] >= '0' && f[0] <= '9' {
			return f, nil
		}
	}
	return "", fmt.Errorf("%s answered %q when asked for its version", path, strings.TrimSpace(out.String()))
}
