package flock

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests. With FLOCK_TEST_HOLD it instead locks that file until its input ends.
func TestMain(m *testing.M) {
	if path := os.Getenv("FLOCK_TEST_HOLD"); path != "" {
		f, err := TryLock(path, 0o600)
		if err != nil {
			os.Stdout.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Stdout.WriteString("locked\n")
		os.Stdin.Read(make([]byte, 1))
		f.Close()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func TestTryLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := TryLock(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := TryLock(path, 0o600); !errors.Is(err, ErrLocked) {
		t.Errorf("the second lock returned %v", err)
	}
	first.Close()
	second, err := TryLock(path, 0o600)
	if err != nil {
		t.Fatalf("after the first lock was closed: %v", err)
	}
	second.Close()
}

func TestLockInMissingFolder(t *testing.T) {
	if _, err := TryLock(filepath.Join(t.TempDir(), "nowhere", "lock"), 0o600); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
}

func TestKilledOwnerReleasesTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), "FLOCK_TEST_HOLD="+path)
	if _, err := owner.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	output := make([]byte, 100)
	if n, err := out.Read(output); string(output[:n]) != "locked\n" {
		t.Fatalf("the owner printed %q, %v", output[:n], err)
	}
	if _, err := TryLock(path, 0o600); !errors.Is(err, ErrLocked) {
		t.Errorf("while the owner runs: %v", err)
	}
	owner.Process.Kill()
	owner.Wait()
	f, err := TryLock(path, 0o600)
	if err != nil {
		t.Fatalf("after the owner was killed: %v", err)
	}
	f.Close()
}

// An owner can delete the file while other processes have it open. These must not lock the deleted file.
func TestOwnerCanDeleteTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var locked atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5000 {
				f, err := TryLock(path, 0o600)
				if errors.Is(err, ErrLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				locked.Add(1)
				if second, err := TryLock(path, 0o600); !errors.Is(err, ErrLocked) {
					t.Errorf("two owners have the lock: %v", err)
					second.Close()
				}
				os.Remove(path)
				f.Close()
			}
		})
	}
	all.Wait()
	if locked.Load() == 0 {
		t.Error("no goroutine got the lock")
	}
}
