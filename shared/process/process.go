// Package process runs the programs that Helios is made of, Chromium and ffmpeg, so that none of them
// outlives its work, sees what it must not, or dies without a word.
//
// It imports only procfs.
package process

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// outputGrace is how long children that left the program's group, and so were not killed with it, may hold
// its output open.
const outputGrace = 2 * time.Second

// Process is a running program, alone with its children in a process group. Whoever starts it waits for
// Done. When the program ends, by itself or by a signal, its children are killed.
type Process struct {
	cmd    *exec.Cmd
	output tail
	reaped atomic.Bool // the id may be somebody else's by now
	done   chan struct{}
	err    error
}

// Start starts a program in a process group of its own, with an environment that holds nothing of ours but
// what programs need to find their files, and keeps the end of what it prints. Set cmd.Env to add to the
// environment.
func Start(cmd *exec.Cmd) (*Process, error) {
	// A pipe of our own: exec's would hold up Wait for as long as a child has it open.
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Env = append(environment(), cmd.Env...)
	cmd.Stderr = w
	if cmd.Stdout == nil {
		cmd.Stdout = w
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.WaitDelay = outputGrace
	err = cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	go p.wait(r)
	return p, nil
}

func (p *Process) wait(output *os.File) {
	defer close(p.done)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		io.Copy(&p.output, output)
	}()
	p.err = p.cmd.Wait()
	p.reaped.Store(true)
	// A child keeps the group's id from being given to others. One that was being born during an earlier
	// signal is in the group, too.
	p.signal()
	output.SetReadDeadline(time.Now().Add(outputGrace))
	<-drained
	output.Close()
}

// PID returns the id of the program and of its process group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end of the program and says how it ended, as [exec.Cmd.Wait] does.
func (p *Process) Wait() error {
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
	if !p.reaped.Load() {
		p.signal()
	}
	<-p.done
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
