package mp4

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"helios/shared/stitch"
	"helios/shared/store"
)

// kernelCopy works with the files of a store.Dir, which embed an *os.File.
func TestKernelCopy(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in"), []byte("0123456789"), 0o666); err != nil {
		t.Fatal(err)
	}
	st := store.Dir(dir)
	r, err := st.Open(t.Context(), "in")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := st.Create(t.Context(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	w.Write([]byte("<"))
	if n := kernelCopy(w, r, stitch.Extent{Off: 3, Size: 4}); n != 4 {
		t.Fatalf("copied %d bytes, want 4", n)
	}
	w.Write([]byte(">"))
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "out")); string(got) != "<3456>" {
		t.Errorf("the file contains %q, want <3456>", got)
	}

	if n := kernelCopy(new(bytes.Buffer), r, stitch.Extent{Size: 10}); n != 0 {
		t.Errorf("copied %d bytes into a buffer, want 0", n)
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	defer pw.Close()
	if n := kernelCopy(pw, r, stitch.Extent{Size: 10}); n != 0 {
		t.Errorf("copied %d bytes into a pipe, want 0", n)
	}
}
