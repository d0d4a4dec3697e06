package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"helios/shared/fault"
	"helios/shared/process"
	"helios/shared/tempfile"
)

// chromium is a running Chromium with its profile.
type chromium struct {
	*process.Process
	pipe    *chromedp.PipeConn
	profile *tempfile.Dir
}

// startChromium runs the Chromium at path with a new profile.
func startChromium(path, proxyURL string, scale float64) (*chromium, error) {
	prof, err := newProfile()
	if err != nil {
		return nil, err
	}
	c := &chromium{profile: prof}
	if err := c.run(path, flags(c.profile.Path(), proxyURL, scale)); err != nil {
		prof.Remove()
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return c, nil
}

func (c *chromium) run(path string, flags []string) error {
	commandsR, commandsW, err := os.Pipe()
	if err != nil {
		return err
	}
	responsesR, responsesW, err := os.Pipe()
	if err != nil {
		return errors.Join(err, commandsR.Close(), commandsW.Close())
	}
	cmd := exec.Command(path, flags...)
	// --remote-debugging-pipe reads commands from descriptor 3 and writes responses to 4.
	cmd.ExtraFiles = []*os.File{commandsR, responsesW}
	// With its home and temporary folder in the profile, Chromium leaves no files elsewhere.
	cmd.Env = []string{"HOME=" + c.profile.Path(), "TMPDIR=" + c.profile.Path()}
	c.Process, err = process.Start(cmd)
	commandsR.Close()
	responsesW.Close()
	if err != nil {
		return errors.Join(err, commandsW.Close(), responsesR.Close())
	}
	c.pipe = chromedp.NewPipeConn(responsesR, commandsW)
	return nil
}

// startError kills Chromium and returns why it did not start: the last line of its output, or else err.
func (c *chromium) startError(path string, err error) error {
	if errors.Is(err, errDisconnected) {
		// The pipe can close shortly before the process exits. The exit code is used below.
		select {
		case <-c.Done():
		case <-time.After(time.Second):
		}
	}
	c.Kill()
	output := logPrefix.ReplaceAllString(c.LastLine(), "")
	var exit *exec.ExitError
	// On Debian, a shell script runs Chromium. Its exit code is above 128 if a signal ended Chromium.
	exited := errors.As(c.Wait(), &exit) && 0 < exit.ExitCode() && exit.ExitCode() <= 128
	switch {
	case strings.Contains(output, "No usable sandbox"):
		return fault.Userf("starting %s: this machine does not allow Chromium's sandbox; "+
			"allow unprivileged user namespaces, install chromium-sandbox, "+
			"or set %s=1 if you trust the page or the machine is disposable", path, NoSandboxVariable)
	case output == "":
		return fmt.Errorf("starting %s: %w", path, err)
	case exited:
		return fmt.Errorf("starting %s: %s", path, output) // err is transient, but a retry fails again
	default:
		return fmt.Errorf("starting %s: %w (last output: %s)", path, err, output)
	}
}

// logPrefix matches the start of Chromium's log lines, such as [1122/231831.02:ERROR:zygote_host.cc:130].
var logPrefix = regexp.MustCompile(`^\[[^\]]*\] *`)

// stop kills Chromium and deletes its profile.
func (c *chromium) stop() {
	c.Kill()
	c.pipe.Close()
	c.profile.Remove()
}
