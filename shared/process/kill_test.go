package process

import (
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestKillEndsDescendants(t *testing.T) {
	p := script(t, "(sleep 1000 & sleep 1000) & sleep 1000 & echo ready >&3; wait")
	if n := len(members(p.PID())); n < 3 {
		t.Fatalf("the group has %d processes", n)
	}
	wantWithin(t, time.Second, "Kill", p.Kill)
	wantGone(t, p.PID())
	if err := p.Wait(); err == nil || err.Error() != signalled(syscall.SIGKILL) {
		t.Errorf("Wait() = %v", err)
	}
	if !p.Killed() {
		t.Error("Killed() = false")
	}
	p.Kill() // does nothing
}

// On Debian, chromium is a shell script, and the browser is its child.
func TestChildrenEndWithTheProgram(t *testing.T) {
	t.Run("killed", func(t *testing.T) {
		p := script(t, "sleep 1000 & echo ready >&3; wait")
		if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		wantWithin(t, time.Second, "Wait", func() { p.Wait() })
		wantGone(t, p.PID())
	})
	t.Run("exited", func(t *testing.T) {
		p := script(t, "sleep 1000 & echo ready >&3")
		wantWithin(t, time.Second, "Wait", func() {
			if err := p.Wait(); err != nil {
				t.Errorf("Wait() = %v", err)
			}
		})
		wantGone(t, p.PID())
		if p.Killed() {
			t.Error("Killed() = true")
		}
	})
}

// Kill does not end a process that left the group, and must not wait for it.
func TestKillDoesNotWaitForOtherGroups(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Fatal("setsid is missing; install it with: apt-get install -y util-linux")
	}
	p := script(t, "setsid sh -c 'echo ready >&3; exec sleep 5' 3>&3 & wait")
	wantWithin(t, outputGrace+time.Second, "Kill", p.Kill)
}

func TestConcurrentKill(t *testing.T) {
	p := script(t, "sleep 1000 & echo ready >&3; wait")
	var all sync.WaitGroup
	for range 8 {
		all.Go(p.Kill)
		all.Go(func() { p.Wait(); p.Killed(); p.LastLine() })
	}
	all.Wait()
	wantGone(t, p.PID())
}

func TestStartError(t *testing.T) {
	if _, err := Start(exec.Command("/nowhere/program")); err == nil {
		t.Error("starting a missing program returned no error")
	}
}
