package browser

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"github.com/chromedp/chromedp"
)

// process is a running Chromium and everything that goes away with it.
type process struct {
	cmd     *exec.Cmd
	pipe    *chromedp.PipeConn
	profile *profile
	output  *tail
	exited  chan struct{} // closed when the process was reaped
}

// start runs Chromium in a process group of its own, so that all its children can be killed together.
func start(path, proxy string) (*process, error) {
	prof, err := newProfile()
	if err != nil {
		return nil, err
	}
	p := &process{profile: prof, output: &tail{}, exited: make(chan struct{})}
	if err := p.run(path, proxy); err != nil {
		prof.remove()
		return nil, err
	}
	return p, nil
}

func (p *process) run(path, proxy string) error {
	commandsR, commandsW, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("making a pipe to Chromium: %w", err)
	}
	answersR, answersW, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("making a pipe to Chromium: %w", err), commandsR.Close(), commandsW.Close())
	}
	p.cmd = exec.Command(path, flags(p.profile.dir, proxy)...)
	p.cmd.ExtraFiles = []*os.File{commandsR, answersW} // descriptors 3 and 4, as --remote-debugging-pipe has them
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.Env = environment(p.profile.dir)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A child that outlives its parent would hold the output open.
	p.cmd.WaitDelay = killGrace
	err = p.cmd.Start()
	commandsR.Close()
	answersW.Close()
	if err != nil {
		return errors.Join(fmt.Errorf("starting %s: %w", path, err), commandsW.Close(), answersR.Close())
	}
	p.pipe = chromedp.NewPipeConn(answersR, commandsW)
	go func() {
		defer close(p.exited)
		p.cmd.Wait() // how it ended is told by its output, not by its status
	}()
	return nil
}

// stop kills the process group, waits for the process and removes its profile.
func (p *process) stop() {
	p.kill()
	<-p.exited
	// A child that was being forked during the first kill is in the group too.
	p.kill()
	p.pipe.Close()
	p.profile.remove()
}

func (p *process) kill() { syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

// environment is all that Chromium gets to see of ours: no credentials, whatever they are called.
func environment(home string) []string {
	env := []string{"HOME=" + home, "LANG=en_US.UTF-8", "TZ=UTC"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "FONTCONFIG_PATH", "FONTCONFIG_FILE", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// tail keeps the end of what a process prints.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 8 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if extra := len(t.buf) - tailSize; extra > 0 {
		t.buf = append(t.buf[:0], t.buf[extra:]...)
	}
	return len(b), nil
}

// lastLine returns the last line that has something to say.
func (t *tail) lastLine() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(t.buf), []byte("\n"))
	return strings.TrimSpace(string(lines[len(lines)-1]))
}
