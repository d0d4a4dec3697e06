// Package process runs the programs that Helios is made of, Chromium and ffmpeg, so that none of them
// outlives its work, sees what it must not, or dies without a word.
//
// It imports none of ours.
package process

import (
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// outputGrace is how long a killed program's children may hold its output open.
const outputGrace = 2 * time.Second

// Process is a running program, alone with its children in a process group. Whoever starts it waits for
// Done.
type Process struct {
	cmd    *exec.Cmd
	output *tail
	done   chan struct{}
	err    error
}

// Start starts a program in a process group of its own, with an environment that holds nothing of ours but
// what programs need to find their files, and keeps the end of what it prints. Set cmd.Env to add to the
// environment.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{cmd: cmd, output: &tail{}, done: make(chan struct{})}
	cmd.Env = append(environment(), cmd.Env...)
	cmd.Stderr = p.output
	if cmd.Stdout == nil {
		cmd.Stdout = p.output
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.WaitDelay = outputGrace
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
	}()
	return p, nil
}

// PID returns the id of the program and of its process group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err waits for the end of the program and says how it ended, as [exec.Cmd.Wait] does.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Killed reports whether a signal ended the program, which has ended.
func (p *Process) Killed() bool {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}

// Kill kills the program and its children and waits for its end. A program that has ended is no error.
func (p *Process) Kill() {
	p.signal()
	<-p.done
	// A child that was being born during the first signal is in the group, too.
	p.signal()
}

func (p *Process) signal() { syscall.Kill(-p.PID(), syscall.SIGKILL) }

// LastLine returns the last line that the program printed.
func (p *Process) LastLine() string { return p.output.lastLine() }

// passed are the variables that programs inherit. Credentials are not among them, whatever their name.
var passed = []string{"PATH", "LD_LIBRARY_PATH", "FONTCONFIG_PATH", "FONTCONFIG_FILE", "TMPDIR", "HOME"}

func environment() []string {
	env := []string{"LANG=C.UTF-8", "TZ=UTC"}
	for _, variable := range os.Environ() {
		if slices.ContainsFunc(passed, func(name string) bool {
			return len(variable) > len(name) && variable[:len(name)+1] == name+"="
		}) {
			env = append(env, variable)
		}
	}
	return env
}
