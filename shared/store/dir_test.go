package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDir(t *testing.T) {
	testStore(t, func(t *testing.T) Store { return Dir(t.TempDir()) })
}

func TestDirAbsoluteNames(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	put(t, Dir("/elsewhere"), path, "x")
	wantObject(t, Dir(dir), "a", "x")
	if got := Dir("/elsewhere").Path(path + "/"); got != path {
		t.Errorf("Path(%q) = %q", path+"/", got)
	}
}

// The partial file is next to the object, not in TMPDIR: a rename works on one disk only.
func TestDirPartialFileIsInSameFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", "/nowhere")
	w := create(t, Dir(""), "a")
	if names := list(t, "."); len(names) != 1 {
		t.Errorf("before the commit, the folder contains %q, want one file", names)
	}
	io.WriteString(w, "x")
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	wantObject(t, Dir("."), "a", "x")
}

func TestDirLeavesNoOtherFiles(t *testing.T) {
	dir := t.TempDir()
	s := Dir(dir)
	for _, end := range []func(Writer) error{
		Writer.Commit, Writer.CommitNew, func(w Writer) error { w.Abort(); return nil },
	} {
		end(create(t, s, "a"))
		if diff := cmp.Diff([]string{"a"}, list(t, dir)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestDirRemovePartials(t *testing.T) {
	dir := t.TempDir()
	s := Dir(dir)
	// Closing the file releases its lock, as the death of the process does.
	for _, name := range []string{"a", "a", "other"} {
		w, err := s.CreateFile(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
	}
	put(t, s, "a", "done")
	put(t, s, ".a.partial-x", "another file")
	active := []Writer{create(t, s, "a"), create(t, s, "a.partial-1")}
	if n := len(list(t, dir)); n != 7 {
		t.Fatalf("there are %d files, want 7: %q", n, list(t, dir))
	}
	if err := s.RemovePartials("a"); err != nil {
		t.Fatal(err)
	}
	wantObject(t, s, "a", "done")
	wantObject(t, s, ".a.partial-x", "another file")
	for _, w := range active {
		io.WriteString(w, "done")
		if err := w.Commit(); err != nil {
			t.Errorf("Commit of an active writer failed: %v", err)
		}
	}
	if n := len(list(t, dir)); n != 4 {
		t.Errorf("there are %d files, want 4: %q", n, list(t, dir))
	}
	if err := s.RemovePartials("nowhere/a"); err != nil {
		t.Errorf("RemovePartials in a missing folder returned %v", err)
	}
}

// The umask determines the permissions of new files.
func TestDirUmask(t *testing.T) {
	for _, test := range []struct {
		umask int
		want  fs.FileMode
	}{{0o022, 0o644}, {0o077, 0o600}, {0o002, 0o664}} {
		old := syscall.Umask(test.umask)
		dir := t.TempDir()
		put(t, Dir(dir), "new/a", "x")
		syscall.Umask(old)
		info, err := os.Stat(filepath.Join(dir, "new", "a"))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode(); got != test.want {
			t.Errorf("with umask %03o the mode is %s, want %s", test.umask, got, test.want)
		}
	}
}

func TestDirNameOfFolder(t *testing.T) {
	dir := t.TempDir()
	s := Dir(dir)
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"folder", "folder/", ".", ""} {
		if _, err := s.Create(t.Context(), name); err == nil || !strings.Contains(err.Error(), "is a folder") {
			t.Errorf("Create(%q) returned %v", name, err)
		}
		if _, err := s.Open(t.Context(), name); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("Open(%q) returned %v", name, err)
		}
	}
	if _, err := Dir("").Create(t.Context(), ""); err == nil {
		t.Error("Create without a name succeeded")
	}
	if err := s.Remove(t.Context(), "folder"); err == nil {
		t.Error("Remove of a folder succeeded")
	}
	if diff := cmp.Diff([]string{"folder"}, list(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestDirFolderAppearsBeforeCommit(t *testing.T) {
	dir := t.TempDir()
	w := create(t, Dir(dir), "a")
	if err := os.Mkdir(filepath.Join(dir, "a"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err == nil {
		t.Error("Commit onto a folder succeeded")
	}
	if diff := cmp.Diff([]string{"a"}, list(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestDirNameTooLong(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("n", 256)
	if _, err := Dir(dir).Create(t.Context(), name); !errors.Is(err, syscall.ENAMETOOLONG) {
		t.Errorf("Create returned %v", err)
	}
	if names := list(t, dir); len(names) > 0 {
		t.Errorf("Create left %q", names)
	}
}

// Tests may run as root, which can write to all folders. So they use a file in place of a folder, and /proc.
func TestDirUnwritableFolder(t *testing.T) {
	dir := t.TempDir()
	s := Dir(dir)
	put(t, s, "file", "x")
	_, err := s.Create(t.Context(), "file/a")
	if !errors.Is(err, syscall.ENOTDIR) || !strings.Contains(err.Error(), "file") {
		t.Errorf("Create returned %v", err)
	}
	if err := s.Remove(t.Context(), "file/a"); err != nil {
		t.Errorf("Remove returned %v", err)
	}
	wantNone(t, s, "file/a")
	if _, err := Dir("/proc").Create(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "/proc/") {
		t.Errorf("Create in /proc returned %v", err)
	}
}

// Opening a named pipe without a writer must not block.
func TestDirOpenNamedPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := Dir(dir).Open(t.Context(), "pipe")
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("Open returned %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Open blocks")
	}
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
