// Package process runs Chromium and ffmpeg as child processes.
//
// # Process groups
//
// [Start] runs a program in its own process group. [Process.Kill] kills the whole group, and when the program ends, its
// remaining children are killed, too. Only a child that leaves the group survives.
//
// # Environment
//
// A program gets only the variables that it needs to find its files, such as PATH and HOME. Credentials in the
// environment of Helios do not reach it.
//
// # Output
//
// [Process.LastLine] returns the last line of the output, for error messages.
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

// outputGrace limits the wait for the end of the output after the program ended. Children that left the process group
// survive and can keep the output open.
const outputGrace = 2 * time.Second

// Process is a running program.
type Process struct {
	cmd    *exec.Cmd
	output tail
	reaped atomic.Bool // if set, the kernel may reuse the process ID
	done   chan struct{}
	err    error
}

// Start starts a program. cmd.Env is added to the inherited variables. Standard error is recorded, and so is standard
// output if cmd.Stdout is nil.
func Start(cmd *exec.Cmd) (*Process, error) {
	// With a pipe of os/exec, Wait would block until all children close it, so run could not kill them first.
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
	go p.run(r)
	return p, nil
}

// run records the output, waits for the program, and kills its remaining children.
func (p *Process) run(output *os.File) {
	defer close(p.done)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(&p.output, output) // ends with the output or its deadline
	}()
	p.err = p.cmd.Wait()
	p.reaped.Store(true)
	// Kill the remaining children. While one exists, the kernel does not reuse the group's ID. An earlier Kill can miss
	// a child that the program was forking.
	p.signal()
	_ = output.SetReadDeadline(time.Now().Add(outputGrace))
	<-drained
	output.Close()
}

// PID returns the ID of the program, which is also that of its process group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits until the program ends. The error is that of [exec.Cmd.Wait]. Wait may be called more than once.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Killed reports whether a signal ended the program. Call it only after the program ended.
func (p *Process) Killed() bool {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}

// Kill kills the program and its children and waits until the program ends. It does nothing if the program has ended.
func (p *Process) Kill() {
	if !p.reaped.Load() {
		p.signal()
	}
	<-p.done
}

// signal ignores the error, which means that the group has no processes.
func (p *Process) signal() { _ = syscall.Kill(-p.PID(), syscall.SIGKILL) }

// LastLine returns the last line of the output that is not empty.
func (p *Process) LastLine() string { return p.output.lastLine() }

// inherited are the environment variables that programs inherit. Others may be credentials.
var inherited = []string{"PATH", "LD_LIBRARY_PATH", "FONTCONFIG_PATH", "FONTCONFIG_FILE", "TMPDIR", "HOME"}

func environment() []string {
	env := []string{"LANG=C.UTF-8", "TZ=UTC"}
	for _, variable := range os.Environ() {
		if slices.ContainsFunc(inherited, func(name string) bool {
			return len(variable) > len(name) && variable[:len(name)+1] == name+"="
		}) {
			env = append(env, variable)
		}
	}
	return env
}
