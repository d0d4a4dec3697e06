package tempfile

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"helios/shared/flock"
)

// holdVariable is the environment variable that makes the test program create temporary files in a folder, its value,
// and wait to be killed.
const holdVariable = "HELIOS_TEST_HOLD"

func TestMain(m *testing.M) {
	if parent := os.Getenv(holdVariable); parent != "" {
		if err := hold(parent); err != nil {
			fmt.Println(err)
		}
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func hold(parent string) error {
	dir, err := MkdirTemp(parent)
	if err != nil {
		return err
	}
	file, err := CreatePartial(filepath.Join(parent, "out.mp4"))
	if err != nil {
		return err
	}
	folder, err := MkdirPartial(filepath.Join(parent, "out"))
	if err != nil {
		return err
	}
	fmt.Println(dir.Path(), file.Name(), folder.Path())
	time.Sleep(time.Hour)
	// The garbage collector must not close the locks.
	runtime.KeepAlive([]any{dir, file, folder})
	return nil
}

// holder starts a process that holds a folder, a partial file and a partial folder, and returns their paths.
func holder(t *testing.T, parent string) (kill func(), paths []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdVariable+"="+parent)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if paths = strings.Fields(line); err != nil || len(paths) != 3 {
		t.Fatalf("the holder printed %q, %v", line, err)
	}
	return kill, paths
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// A process that SIGKILL ends leaves its files behind. Another process removes them, but not those of running
// processes.
func TestCleanUpAfterKill(t *testing.T) {
	parent := t.TempDir()
	kill, abandoned := holder(t, parent)
	if err := os.WriteFile(filepath.Join(abandoned[0], "content"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	kill()
	for _, path := range abandoned {
		if !exists(path) {
			t.Fatalf("%s is gone before any clean-up", path)
		}
	}
	_, used := holder(t, parent)
	if exists(abandoned[0]) {
		t.Errorf("the second process did not remove %s", abandoned[0])
	}
	dir, err := MkdirTemp(parent)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"out.mp4", "out"} {
		if err := RemovePartials(filepath.Join(parent, name)); err != nil {
			t.Error(err)
		}
	}
	for _, path := range abandoned {
		if exists(path) {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range used {
		if !exists(path) {
			t.Errorf("%s of a running process is gone", path)
		}
	}
	dir.Remove()
	if exists(dir.Path()) {
		t.Errorf("%s is still there", dir.Path())
	}
}

func TestRemoveAbandoned(t *testing.T) {
	parent := t.TempDir()
	old := time.Now().Add(-2 * unlockedAge)
	create := func(name string, age time.Time, files ...string) string {
		dir := filepath.Join(parent, name)
		for _, file := range append(files, "") {
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if file == "" {
				os.MkdirAll(dir, 0o777)
			} else if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(dir, age, age); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	gone := []string{
		create(Prefix+"abandoned", time.Now(), lockName, "Default/Preferences"),
		create(Prefix+"abandoned-before-it-was-locked", old, "Default/Preferences"),
	}
	used := create(Prefix+"used", old, lockName, "Default/Preferences")
	lock, err := flock.TryLock(filepath.Join(used, lockName), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	stay := []string{
		filepath.Join(used, "Default/Preferences"),
		create(Prefix+"not-locked-yet", time.Now()),
		create("other-program", old, lockName),
	}
	if err := RemoveAbandoned(parent); err != nil {
		t.Error(err)
	}
	for _, path := range gone {
		if exists(path) {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range stay {
		if !exists(path) {
			t.Errorf("%s is gone", path)
		}
	}
	if err := RemoveAbandoned(filepath.Join(parent, "nowhere")); err != nil {
		t.Errorf("in a folder that does not exist: %v", err)
	}
}

// MkdirTemp first cleans up. It must not remove a folder that another goroutine is creating.
func TestConcurrentMkdirTemp(t *testing.T) {
	parent := t.TempDir()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				d, err := MkdirTemp(parent)
				if err != nil {
					t.Error(err)
					return
				}
				if !exists(filepath.Join(d.Path(), lockName)) {
					t.Error("a folder in use was removed")
				}
				d.Remove()
				if exists(d.Path()) {
					t.Errorf("%s is still there", d.Path())
				}
			}
		})
	}
	all.Wait()
}

func TestRemovePartialsOfOneOutput(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	for _, path := range []string{out, filepath.Join(dir, "other"), out + ".partial-1"} {
		f, err := CreatePartial(path)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if err := os.WriteFile(filepath.Join(dir, ".out.partial-x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := RemovePartials(out); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("the folder contains %v, %v; want the files of other outputs and .out.partial-x", entries, err)
	}
	for _, e := range entries {
		if number, ok := strings.CutPrefix(e.Name(), ".out.partial-"); ok && number != "x" && !strings.Contains(number, ".") {
			t.Errorf("%s is still there", e.Name())
		}
	}
	if err := RemovePartials(filepath.Join(dir, "nowhere", "out")); err != nil {
		t.Errorf("in a folder that does not exist: %v", err)
	}
}

func TestUnnamed(t *testing.T) {
	parent := t.TempDir()
	f, err := Unnamed(parent)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("content"); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(parent); err != nil || len(entries) > 0 {
		t.Errorf("the folder contains %v, %v", entries, err)
	}
}
