package process

import (
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestKillTakesTheGrandchildren(t *testing.T) {
	p := script(t, "(sleep 1000 & sleep 1000) & sleep 1000 & echo ready >&3; wait")
	if n := len(members(t, p.PID())); n < 3 {
		t.Fatalf("the group has %d processes", n)
	}
	soon(t, time.Second, "Kill", p.Kill)
	gone(t, p.PID())
	if err := p.Wait(); err == nil || err.Error() != signalled(syscall.SIGKILL) {
		t.Errorf("Err() = %v", err)
	}
	if !p.Killed() {
		t.Error("Killed() = false")
	}
	p.Kill() // the second one finds nothing to do
}

// The wrapper of Debian's Chromium is a shell that waits for the real program.
func TestChildrenEndWithTheProgram(t *testing.T) {
	t.Run("that was killed from outside", func(t *testing.T) {
		p := script(t, "sleep 1000 & echo ready >&3; wait")
		if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		soon(t, time.Second, "Err", func() { p.Wait() })
		gone(t, p.PID())
	})
	t.Run("that ended by itself", func(t *testing.T) {
		p := script(t, "sleep 1000 & echo ready >&3")
		soon(t, time.Second, "Err", func() {
			if err := p.Wait(); err != nil {
				t.Errorf("Err() = %v", err)
			}
		})
		gone(t, p.PID())
		if p.Killed() {
			t.Error("Killed() = true, but the program itself ended well")
		}
	})
}

// A process that left the group cannot be killed with it; nor may it hold us up.
func TestOutputThatAnEmigrantHoldsOpen(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Fatal("setsid is missing: apt-get install -y util-linux")
	}
	p := script(t, "setsid sh -c 'echo ready >&3; exec sleep 5' 3>&3 & wait")
	soon(t, outputGrace+time.Second, "Kill", p.Kill)
}

func TestKillFromManySides(t *testing.T) {
	p := script(t, "sleep 1000 & echo ready >&3; wait")
	var all sync.WaitGroup
	for range 8 {
		all.Go(p.Kill)
		all.Go(func() { p.Wait(); p.Killed(); p.LastLine() })
	}
	all.Wait()
	gone(t, p.PID())
}

func TestStartOfNothing(t *testing.T) {
	if _, err := Start(exec.Command("/nowhere/program")); err == nil {
		t.Error("a program that is not there was started")
	}
}
