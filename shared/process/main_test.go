package process

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"helios/shared/procfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script starts a shell script and returns when it has written "ready" to file descriptor 3.
func script(t *testing.T, text string) *Process {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("sh", "-c", text)
	cmd.ExtraFiles = []*os.File{w}
	p, err := Start(cmd)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	r.SetReadDeadline(time.Now().Add(10 * time.Second))
	if line, err := bufio.NewReader(r).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the script wrote %q, %v", line, err)
	}
	return p
}

// members returns the processes of a group, except zombies.
func members(group int) (live []procfs.Process) {
	for _, p := range procfs.Processes() {
		if p.Group == group && p.State != "Z" {
			live = append(live, p)
		}
	}
	return live
}

// wantGone fails the test unless all processes of a group end within 5 s.
func wantGone(t *testing.T, group int) {
	t.Helper()
	var live []procfs.Process
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if live = members(group); len(live) == 0 {
			return
		}
	}
	t.Errorf("still running: %+v", live)
}

// wantWithin fails the test if f takes longer than limit.
func wantWithin(t *testing.T, limit time.Duration, what string, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > limit {
		t.Errorf("%s took %s, want at most %s", what, took, limit)
	}
}

func signalled(signal syscall.Signal) string { return fmt.Sprintf("signal: %s", signal) }
