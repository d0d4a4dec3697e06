package browser

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// ownBrowser launches a browser, tells its process group and profile, and waits to be killed.
func ownBrowser() {
	b, err := Launch(context.Background(), Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(b.process.PID(), b.process.profile.Path())
	select {}
}

// A helios that is killed cannot clean up. Chromium ends by itself then, and the next helios removes the
// profile.
func TestKilledOwner(t *testing.T) {
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
		t.Fatalf("the owner said %q, %v", line, err)
	}
	all := family(t, group)
	if len(all) < 3 {
		t.Fatalf("Chromium has %d processes", len(all))
	}
	// While the owner lives, its profile does, too.
	launch(t, Options{}).Close()
	if _, err := os.Stat(profile); err != nil {
		t.Fatal(err)
	}
	owner.Process.Kill()
	owner.Wait()
	eventually(t, "the end of Chromium after that of its owner", func() bool {
		return len(processes(t, func(_ map[int]proc, p proc) bool { return p.group == group })) == 0
	})
	if _, err := os.Stat(profile); err != nil {
		t.Log("another process that started a browser meanwhile was first to remove the profile")
	}
	launch(t, Options{}).Close()
	wantGone(t, group, profile, all)
}

func TestRoomy(t *testing.T) {
	if !roomy(t.TempDir()) {
		t.Error("there is no room among the temporary files")
	}
	// One that is not there, one that is no folder, and one without a byte of room.
	for _, dir := range []string{"/nowhere", "/dev/null", "/proc"} {
		if roomy(dir) {
			t.Errorf("%s is taken for a folder with room", dir)
		}
	}
}
