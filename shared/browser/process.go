package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/chromedp/chromedp"

	"helios/shared/process"
)

// chromium is a running Chromium and everything that goes away with it.
type chromium struct {
	*process.Process
	pipe    *chromedp.PipeConn
	profile *profile
}

// start runs Chromium with a new profile.
func start(path, proxy string) (*chromium, error) {
	prof, err := newProfile()
	if err != nil {
		return nil, err
	}
	c := &chromium{profile: prof}
	if err := c.run(path, proxy); err != nil {
		prof.remove()
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return c, nil
}

func (c *chromium) run(path, proxy string) error {
	commandsR, commandsW, err := os.Pipe()
	if err != nil {
		return err
	}
	answersR, answersW, err := os.Pipe()
	if err != nil {
		return errors.Join(err, commandsR.Close(), commandsW.Close())
	}
	cmd := exec.Command(path, flags(c.profile.dir, proxy)...)
	cmd.ExtraFiles = []*os.File{commandsR, answersW} // descriptors 3 and 4, where --remote-debugging-pipe has them
	cmd.Env = []string{"HOME=" + c.profile.dir}
	c.Process, err = process.Start(cmd)
	commandsR.Close()
	answersW.Close()
	if err != nil {
		return errors.Join(err, commandsW.Close(), answersR.Close())
	}
	c.pipe = chromedp.NewPipeConn(answersR, commandsW)
	return nil
}

// stop kills Chromium and removes its profile.
func (c *chromium) stop() {
	c.Kill()
	c.pipe.Close()
	c.profile.remove()
}
