package browser

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// ownBrowser launches a browser, prints its process group and profile, and waits to be killed.
func ownBrowser() {
	b, err := Launch(context.Background(), Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(b.process.PID(), b.process.profile.Path())
	select {}
}

// If Helios is killed, its Chromium exits, and the next browser removes the profile.
func TestKilledOwner(t *testing.T) {
	needChromium(t)
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerVariable+"=1")
	owner.Stderr = os.Stderr
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	var group int
	var profile string
	line, err := bufio.NewReader(out).ReadString('\n')
	if _, parsing := fmt.Sscan(line, &group, &profile); err != nil || parsing != nil {
		t.Fatalf("the owner printed %q, %v", line, err)
	}
	all := family(t, group)
	if len(all) < 3 {
		t.Fatalf("Chromium has %d processes", len(all))
	}
	// While the owner runs, its profile is not removed.
	launch(t, Options{}).Close()
	if _, err := os.Stat(profile); err != nil {
		t.Fatal(err)
	}
	owner.Process.Kill()
	owner.Wait()
	eventually(t, "the exit of Chromium after its owner", func() bool {
		return len(processes(t, func(_ map[int]proc, p proc) bool { return p.group == group })) == 0
	})
	if _, err := os.Stat(profile); err != nil {
		t.Log("another test's browser removed the profile first")
	}
	launch(t, Options{}).Close()
	wantGone(t, group, profile, all)
}

func TestHasSpace(t *testing.T) {
	if !hasSpace(t.TempDir()) {
		t.Error("hasSpace(t.TempDir()) = false")
	}
	// A missing folder, a file, and a file system of size 0.
	for _, dir := range []string{"/nowhere", "/dev/null", "/proc"} {
		if hasSpace(dir) {
			t.Errorf("hasSpace(%s) = true", dir)
		}
	}
}
