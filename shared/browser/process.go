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

// chromium is a running Chromium and everything that goes away with it.
type chromium struct {
	*process.Process
	pipe    *chromedp.PipeConn
	profile *tempfile.Dir // the folder that Chromium keeps its state in
}

// start runs Chromium with a new profile.
func start(path, proxy string, scale float64) (*chromium, error) {
	prof, err := newProfile()
	if err != nil {
		return nil, err
	}
	c := &chromium{profile: prof}
	if err := c.run(path, flags(c.profile.Path(), proxy, scale)); err != nil {
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
	answersR, answersW, err := os.Pipe()
	if err != nil {
		return errors.Join(err, commandsR.Close(), commandsW.Close())
	}
	cmd := exec.Command(path, flags...)
	cmd.ExtraFiles = []*os.File{commandsR, answersW} // descriptors 3 and 4, where --remote-debugging-pipe has them
	// What Chromium leaves in its home or among the temporary files goes away with the profile.
	cmd.Env = []string{"HOME=" + c.profile.Path(), "TMPDIR=" + c.profile.Path()}
	c.Process, err = process.Start(cmd)
	commandsR.Close()
	answersW.Close()
	if err != nil {
		return errors.Join(err, commandsW.Close(), answersR.Close())
	}
	c.pipe = chromedp.NewPipeConn(answersR, commandsW)
	return nil
}

// explain says why Chromium did not start, in its own words if it had any.
func (c *chromium) explain(path string, err error) error {
	if errors.Is(err, errGone) {
		// It may still be about to end, and how it ends matters.
		select {
		case <-c.Done():
		case <-time.After(time.Second):
		}
	}
	c.Kill()
	said := logPrefix.ReplaceAllString(c.LastLine(), "")
	var exit *exec.ExitError
	// A shell script, as which Debian starts Chromium, ends with more than 128 when a signal ended its program.
	gaveUp := errors.As(c.Wait(), &exit) && 0 < exit.ExitCode() && exit.ExitCode() <= 128
	switch {
	case strings.Contains(said, "No usable sandbox"):
		return fault.Userf("this machine does not let Chromium make a sandbox for the page; allow unprivileged user namespaces, "+
			"install chromium-sandbox, or set %s=1 if you trust the page or the machine is a throw-away", NoSandboxVariable)
	case said == "":
		return fmt.Errorf("starting %s: %w", path, err)
	case gaveUp:
		return fmt.Errorf("starting %s: %s", path, said) // and it will do so again
	default:
		return fmt.Errorf("starting %s: %w (it said: %s)", path, err, said)
	}
}

// logPrefix is what Chromium puts before its messages, such as [1122/231831.02:ERROR:zygote_host.cc:130].
var logPrefix = regexp.MustCompile(`^\[[^\]]*\] *`)

// stop kills Chromium and removes its profile.
func (c *chromium) stop() {
	c.Kill()
	c.pipe.Close()
	c.profile.Remove()
}
